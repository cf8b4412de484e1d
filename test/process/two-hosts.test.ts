import { execFileSync, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '#test/folders.ts';
import { waitUntil } from '#test/waiting.ts';

const BIN = fileURLToPath(new URL('../../bin/conveyor.js', import.meta.url));
const [ADDRESS_A, ADDRESS_B] = ['10.213.7.1', '10.213.7.2'];

/** Two hosts on one machine, as far as the network goes; `undefined` with the reason where this machine allows none. */
function whyNoNamespaces(): string | undefined {
  try {
    execFileSync('ip', ['netns', 'add', 'conveyor-probe'], { stdio: 'pipe' });
    execFileSync('ip', ['netns', 'del', 'conveyor-probe'], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return `network namespaces cannot be made here (iproute2 and root are needed): ${(error as Error).message.split('\n')[0]}`;
  }
}

const missing = whyNoNamespaces();
if (missing) console.warn(`left out: nodes on two hosts; ${missing}`);

interface Cluster {
  leader_name: string;
  nodes: { name: string; connected: boolean; is_leader: boolean }[];
  warehouses: { leader_name: string }[];
}

describe.skipIf(missing !== undefined)('two hosts', () => {
  const [hostA, hostB] = [`cvy-a-${process.pid}`, `cvy-b-${process.pid}`];
  let folder: string;
  let running: { stop(): Promise<unknown> }[];

  const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
  beforeEach(async () => {
    folder = await openFolder('conveyor-hosts-');
    running = [];
    for (const host of [hostA, hostB]) ip('netns', 'add', host);
    const [linkA, linkB] = [`va${process.pid}`.slice(0, 15), `vb${process.pid}`.slice(0, 15)];
    ip('link', 'add', linkA, 'netns', hostA, 'type', 'veth', 'peer', 'name', linkB, 'netns', hostB);
    for (const [host, link, address] of [
      [hostA, linkA, ADDRESS_A],
      [hostB, linkB, ADDRESS_B],
    ] as const) {
      ip('-n', host, 'addr', 'add', `${address}/24`, 'dev', link);
      ip('-n', host, 'link', 'set', link, 'up');
      ip('-n', host, 'link', 'set', 'lo', 'up');
    }
  });
  afterEach(async () => {
    for (const { stop } of running.reverse()) await stop();
    for (const host of [hostA, hostB]) ip('netns', 'del', host);
    await rm(folder, { recursive: true, force: true });
  });

  /** A command on one of the hosts. */
  function on(host: string, args: string[], env: Record<string, string> = {}): { output: () => string; ended: Promise<number | null> } {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONVEYOR_')));
    const child = spawn('ip', ['netns', 'exec', host, process.execPath, BIN, ...args], { cwd: folder, env: { ...inherited, ...env } });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    running.push({
      stop: () => {
        child.kill('SIGTERM');
        return ended;
      },
    });
    return { output: () => text, ended };
  }
  const run = async (
    host: string,
    args: string[],
    env: Record<string, string> = {},
  ): Promise<{ exitCode: number | null; output: string }> => {
    const { output, ended } = on(host, args, env);
    return { exitCode: await ended, output: output() };
  };

  it('a node joins from the other one, with a join token; orders run on both; one leads', async () => {
    const refused = await run(hostA, ['start', '--host', ADDRESS_A, '--port', '8080']);
    expect(refused).toMatchObject({ exitCode: 2, output: expect.stringContaining('which others can reach, but no access token exists') });
    const token = async (role: string): Promise<string> => {
      const { output } = await run(hostA, ['token', 'create', '--role', role, '--name', role]);
      return /cvy_\S+/.exec(output)?.[0] ?? output;
    };
    const [operator, customer, joinToken] = [await token('operator'), await token('customer'), await token('join')];
    const start = on(hostA, [
      'start',
      '--embedded',
      'HCM',
      '--host',
      ADDRESS_A,
      '--port',
      '8080',
      '--node-name',
      'here',
      '--slots',
      '5',
      '--step-duration',
      '200ms',
      '--failure-rate',
      '0',
    ]);
    await waitUntil('the start', () => start.output().includes('is running'));

    const url = `http://${ADDRESS_A}:8080`;
    const without = await run(hostB, ['node', '--join', url, '--node-name', 'there']);
    expect(without).toMatchObject({ exitCode: 4, output: expect.stringContaining('No valid token') });
    const wrong = await run(hostB, ['node', '--join', url, '--node-name', 'there'], { CONVEYOR_JOIN_TOKEN: customer });
    expect(wrong).toMatchObject({ exitCode: 4, output: expect.stringContaining('lets no node join') });
    const node = on(hostB, ['node', '--join', url, '--node-name', 'there', '--slots', '5'], { CONVEYOR_JOIN_TOKEN: joinToken });
    await waitUntil('the node', () => node.output().includes('node started'));
    expect(node.output()).not.toContain(joinToken);

    const ask = async (...args: string[]): Promise<string> =>
      (await run(hostB, [...args, '--endpoint', url, '--json'], { CONVEYOR_TOKEN: operator })).output;
    await waitUntil('both nodes and a leader', async () => {
      const { nodes, leader_name } = JSON.parse(await ask('cluster')) as Cluster;
      return nodes.filter(({ connected }) => connected).length === 2 && leader_name !== undefined;
    });
    const cluster = JSON.parse(await ask('cluster')) as Cluster;
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['here', 'there']);
    expect(cluster.nodes.filter(({ is_leader }) => is_leader)).toHaveLength(1);
    expect(cluster.warehouses).toMatchObject([{ leader_name: 'here' }]);

    const simulated = await run(hostB, ['simulate', '--orders', '40', '--concurrency', '20', '--endpoint', url, '--json'], {
      CONVEYOR_TOKEN: customer,
    });
    expect(simulated.exitCode).toBe(0);
    const { orders } = JSON.parse(await ask('orders', 'list', '--limit', '40')) as { orders: { order_id: string }[] };
    const seen = new Set<string>();
    for (const { order_id } of orders) {
      const { steps } = JSON.parse(await ask('orders', 'get', order_id)) as { steps: { node_id?: string }[] };
      for (const { node_id } of steps) if (node_id) seen.add(node_id);
      if (seen.size === 2) break;
    }
    expect(seen.size).toBe(2);
  });
});
