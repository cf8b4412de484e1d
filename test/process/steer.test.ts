import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type ConveyorProcess, runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';
import { acceptMany, readRecords, violationsOf } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';

interface Node {
  name: string;
  node_id: string;
  state: string;
  busy: number;
  session: number;
  connected: boolean;
  is_leader: boolean;
  fenced_writes: number;
}

describe('steering nodes from the shell', () => {
  let gateway: TestGateway;
  let url = '';
  let nodes: ConveyorProcess[] = [];
  beforeAll(async () => {
    gateway = await openTestGateway();
    const { rows } = await gateway.client.query<{ name: string }>('select current_database() as name');
    const { host, port, user, password } = gateway.client;
    url = `postgres://${user}:${password}@${host}:${port}/${rows[0]?.name}`;
  });
  afterEach(async () => {
    for (const node of nodes) node.kill('SIGKILL');
    await Promise.all(nodes.map((node) => node.ended));
    nodes = [];
  });
  afterAll(() => gateway.close());

  const startNode = (name: string, stepDuration: string): ConveyorProcess => {
    const node = startConveyor(['node', '--node-name', name, '--slots', '20', '--step-duration', stepDuration, '--failure-rate', '0'], {
      cwd: tmpdir(),
      env: { CONVEYOR_WAREHOUSES: `HCM=${url}` },
    });
    nodes.push(node);
    return node;
  };
  const conveyor = async (...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> =>
    runConveyor([...args, '--endpoint', gateway.url], { cwd: tmpdir() });
  const list = async (): Promise<Node[]> => JSON.parse((await conveyor('nodes', 'list', '--json')).stdout) as Node[];
  const find = async (name: string): Promise<Node | undefined> => (await list()).find((node) => node.name === name && node.connected);
  const isUp = (name: string): Promise<void> => waitUntil(`${name} to be at work`, async () => (await find(name))?.state === 'live');

  it('drain lets it finish what it runs, resume lets it go on, stop ends its process; all of it is audited', async () => {
    const node = startNode('ann', '200ms');
    await isUp('ann');
    const first = await acceptMany(gateway.store, 10);
    expect((await conveyor('nodes', 'drain', 'ann', '--reason', 'kernel', '--yes')).exitCode).toBe(0);
    await waitUntil('it to drain', async () => (await find('ann'))?.state === 'draining');
    const claimed = (await readRecords(gateway.store, first)).filter(({ events }) => events.some(({ kind }) => kind === 'claimed'));
    const later = await acceptMany(gateway.store, 5);
    await waitUntil('what it ran to end', async () =>
      (
        await readRecords(
          gateway.store,
          claimed.map(({ order }) => order.orderId),
        )
      ).every(({ order }) => order.state === 'completed'),
    );
    expect((await readRecords(gateway.store, later)).map(({ events }) => events.map(({ kind }) => kind))).toEqual(
      Array(5).fill(['accepted']),
    );
    expect((await conveyor('nodes', 'resume', 'ann', '--yes')).exitCode).toBe(0);
    await waitUntil('the rest to end', async () =>
      (await readRecords(gateway.store, later)).every(({ order }) => order.state === 'completed'),
    );
    expect((await conveyor('nodes', 'stop', 'ann', '--yes')).exitCode).toBe(0);
    expect((await node.ended).exitCode).toBe(0);
    const audit = JSON.parse((await conveyor('audit', '--json')).stdout) as { entries: { action: string; reason?: string }[] };
    expect(audit.entries.slice(0, 3).map(({ action }) => action)).toEqual(['node.stop', 'node.resume', 'node.drain']);
    expect(audit.entries[2]?.reason).toBe('kernel');
  });

  it('I3 I6 I8: transfer takes the orders of a live node away: others run them, its handlers are aborted, it begins a new session', async () => {
    startNode('bob', '60s');
    await isUp('bob');
    const ids = await acceptMany(gateway.store, 20);
    await waitUntil('bob to work them all', async () => (await find('bob'))?.busy === 20);
    const before = (await find('bob')) as Node;
    startNode('cid', '50ms');
    await isUp('cid');
    const { exitCode, stdout } = await conveyor('nodes', 'transfer', 'bob', '--yes', '--json');
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ transferred_service_id: before.node_id, orders: 20 });
    await waitUntil('all to complete elsewhere', async () =>
      (await readRecords(gateway.store, ids)).every(({ order }) => order.state === 'completed'),
    );
    const records = await readRecords(gateway.store, ids);
    expect(violationsOf(records)).toEqual([]);
    await waitUntil('bob to be back', async () => ((await find('bob'))?.session ?? 0) > before.session);
    // Steps of a minute ended long before their time: their handlers were aborted.
    expect((await find('bob'))?.busy).toBe(0);
    for (const { events } of records)
      expect(events.filter(({ sessionId, kind }) => sessionId === before.session && kind.startsWith('step'))).toEqual([]);
  });

  it('shows the cluster, and names the nodes there are when one is unknown', async () => {
    startNode('dan', '50ms');
    await isUp('dan');
    await waitUntil('a leader', async () => (await find('dan'))?.is_leader === true);
    const { stdout } = await conveyor('cluster');
    expect(stdout).toMatch(/^WAREHOUSE +STATUS +LEADER[\s\S]*^HCM +OK +dan /m);
    expect(stdout).toMatch(/^dan +HCM +live +leader +0\/20/m);
    const unknown = await conveyor('nodes', 'drain', 'nobody', '--yes');
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stderr).toMatch(/no node has the id or name "nobody"; known:[\s\S]*dan/);
    const watching = startConveyor(['nodes', 'list', '--watch', '--endpoint', gateway.url], { cwd: tmpdir() });
    await watching.waitFor(/^dan +HCM +live/m);
    startNode('eve', '50ms');
    await watching.waitFor(/^eve +HCM +live/m);
    watching.kill('SIGINT');
    expect((await watching.ended).exitCode).toBe(0);
  });
});
