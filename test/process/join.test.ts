import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConveyorProcess, runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { openFolder } from '#test/folders.ts';
import { waitUntil } from '#test/waiting.ts';

interface Stat {
  node_id: string;
  name: string;
  session: number;
  is_leader: boolean;
  draining: boolean;
  liveness: string;
  busy: number;
  pulled_orders: number;
  processed: number;
  takeovers: number;
  handed_over: number;
}

describe('nodes that join a cluster', () => {
  let folder: string;
  let started: ConveyorProcess[];
  beforeEach(async () => {
    folder = await openFolder('conveyor-join-');
    started = [];
  });
  afterEach(async () => {
    // The start is the last to go: it has the database that the others hand their orders back to.
    for (const process of started.reverse()) {
      process.kill('SIGTERM');
      await process.ended;
    }
    await rm(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]): ConveyorProcess => {
    const process = startConveyor(args, { cwd: folder });
    started.push(process);
    return process;
  };
  const startCluster = async (...args: string[]): Promise<{ url: string; operations: string }> => {
    const start = run(
      'start',
      '--embedded',
      'HCM',
      '--port',
      '0',
      '--ops-port',
      '0',
      '--step-duration',
      '300ms',
      '--failure-rate',
      '0',
      ...args,
    );
    const [, url = ''] = await start.waitFor(/API +(http:\S+)/);
    const [, operations = ''] = await start.waitFor(/Node HCM +(http:\S+)\/command\/stat/);
    return { url, operations };
  };
  const join = async (url: string, ...args: string[]): Promise<{ process: ConveyorProcess; operations: string }> => {
    const process = run('node', '--join', url, '--log-format', 'json', ...args);
    const [, operations = ''] = await process.waitFor(/"operations":"([^"]+)","msg":"node started"/);
    return { process, operations };
  };
  const statOf = async (operations: string): Promise<Stat> => (await fetch(`${operations}/command/stat`)).json() as Promise<Stat>;
  const place = async (url: string, count: number): Promise<void> => {
    const answers = await Promise.all(
      Array.from({ length: count }, () =>
        fetch(`${url}/orders`, { method: 'POST', body: '{}', headers: { authorization: 'user', 'content-type': 'application/json' } }),
      ),
    );
    expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
  };

  it('get a database and the simulated step from the gateway, a name of their own, and share the work; one of all leads', async () => {
    const { url, operations } = await startCluster('--slots', '10');
    const nodes = [await join(url.replace('http://', ''), '--slots', '10'), await join(url, '--slots', '10')];
    const all = [operations, ...nodes.map((node) => node.operations)];
    await place(url, 60);
    await waitUntil('all nodes to have orders', async () =>
      (await Promise.all(all.map(statOf))).every(({ pulled_orders }) => pulled_orders > 0),
    );
    await waitUntil(
      'all orders to end',
      async () => (await Promise.all(all.map(statOf))).reduce((sum, { processed }) => sum + processed, 0) === 60,
    );
    const stats = await Promise.all(all.map(statOf));
    expect(new Set(stats.map(({ node_id }) => node_id)).size).toBe(3);
    expect(new Set(stats.map(({ name }) => name)).size).toBe(3);
    expect(stats.filter(({ is_leader }) => is_leader)).toHaveLength(1);
    expect(stats.map(({ liveness }) => liveness)).toEqual(['held', 'held', 'held']);
  });

  it('I1: are missed at once when they are killed, and end in good order when they are told to stop', async () => {
    const lease = ['--lease-ttl', '8s', '--heartbeat', '500ms', '--lease-margin', '1s'];
    const { url, operations } = await startCluster('--slots', '40', ...lease);
    const victim = await join(url, '--step-duration', '60s', ...lease);
    const polite = await join(url, ...lease);
    await place(url, 100);
    await waitUntil('the victim to work', async () => (await statOf(victim.operations)).busy > 0);
    victim.process.kill('SIGKILL');
    const others = [started[0] as ConveyorProcess, polite.process];
    const [, how] = await Promise.any(others.map((process) => process.waitFor(/a node is gone: (.*?), its orders go on elsewhere/)));
    expect(how).toBe('its connection ended');
    await waitUntil('its orders to be handed over', async () => {
      const stats = await Promise.all([operations, polite.operations].map(statOf));
      return stats.reduce((sum, { handed_over }) => sum + handed_over, 0) > 0;
    });
    const stopped = await fetch(`${polite.operations}/command/stop`);
    expect(stopped.status).toBe(200);
    const { exitCode, stderr } = await polite.process.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('was told to stop') });
    const listed = await runConveyor(['orders', 'list', '--status', 'failed', '--endpoint', url, '--json'], { cwd: folder });
    expect(JSON.parse(listed.stdout)).toMatchObject({ orders: [] });
    await waitUntil('every order to complete', async () => {
      const open = await runConveyor(['orders', 'list', '--status', 'completed', '--limit', '200', '--endpoint', url, '--json'], {
        cwd: folder,
      });
      return (JSON.parse(open.stdout) as { orders: unknown[] }).orders.length === 100;
    });
  });

  it('are told why they cannot: no gateway there, an unknown warehouse, a taken port', async () => {
    const { url, operations } = await startCluster();
    const tries: [args: string[], expected: RegExp][] = [
      [['--join', 'localhost:1'], /the gateway at http:\/\/localhost:1 does not answer/],
      [['--join', url, '--warehouse', 'MARS'], /no warehouse is called "MARS"; known: HCM/],
      [
        ['--join', url, '--ops-port', new URL(operations).port],
        /port \d+ on 127\.0\.0\.1 is used by another program; choose another with --ops-port/,
      ],
      [['--join', 'ftp://x'], /--join is "ftp:\/\/x"; allowed is an address/],
    ];
    for (const [args, expected] of tries) {
      const { exitCode, stderr } = await runConveyor(['node', ...args], { cwd: folder });
      expect(exitCode).not.toBe(0);
      expect(stderr).toMatch(expected);
    }
  });
});
