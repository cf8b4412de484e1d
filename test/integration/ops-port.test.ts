import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { type RunningNode, startNode } from '#node/node.ts';
import { type OpsPort, openOpsPort } from '#node/ops-port.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { acceptMany, countOpen } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { orderWorkflow } from '#workflows/order.ts';

describe("a node's operations port", () => {
  let port: OpsPort;
  let node: RunningNode;
  let store: Store;
  let stopped: boolean;
  let databaseFails: boolean;
  beforeEach(async () => {
    [stopped, databaseFails] = [false, false];
    const memory = createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock: systemClock });
    store = Object.assign(Object.create(memory) as Store, memory, {
      readOrders: (ids: string[]) => (databaseFails ? Promise.reject(new Error('no route to host')) : memory.readOrders(ids)),
    });
    port = await openOpsPort({ host: '127.0.0.1', port: 0, clock: systemClock, version: '1.2.3' });
    const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock })]);
    node = await startNode({ store, registry, slots: 7, nodeId: randomUUID(), nodeName: 'ann', version: 't', log: silentLog });
  });
  afterEach(async () => {
    await node.stop({ graceMs: 0 });
    await port.close();
  });
  const stop = (): void => {
    stopped = true;
  };
  const operate = (): void => port.operate({ node, store, stop });

  /** fetch would set Host and hide what a browser sends. */
  function get(path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: Record<string, unknown> }> {
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port: port.port, path, headers: { host: `localhost:${port.port}`, ...headers } }, async (response) => {
        let text = '';
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> });
      })
        .on('error', reject)
        .end();
    });
  }

  it('tells what the node did, by the names of the contract', async () => {
    operate();
    const ids = await acceptMany(store, 12);
    await waitUntil('all orders to end', async () => (await countOpen(store, ids)) === 0);
    await waitUntil('all to be counted', async () => (await get('/command/stat')).body['processed'] === 12);
    expect((await get('/command/stat')).body).toEqual({
      ...{ node_id: node.nodeId, name: 'ann', session: node.session, warehouse: 'HCM', version: '1.2.3', slots: 7, busy: 0, queue_size: 0 },
      ...{ is_leader: expect.any(Boolean), draining: false, liveness: 'held', uptime_s: expect.any(Number) },
      ...{ pulled_orders: 12, pulled_new_orders: 12, pulled_zombie_orders: 0, pulled_timed_out_orders: 0 },
      ...{ processed: 12, process_completed: 12, process_failed: 0, process_cancelled: 0, process_exceptions: 0 },
      ...{ fenced_writes: 0, abandoned_handlers: 0, takeovers: 0, handed_over: 0 },
    });
  });

  it('says whether the loop turns and the database answers, and what failed', async () => {
    expect(await get('/Watchdog_Selfclosure')).toMatchObject({ status: 503, body: { detail: 'the node is still starting' } });
    operate();
    expect(await get('/Watchdog_Selfclosure')).toEqual({ status: 200, body: { status: 'OK' } });
    expect(await get('/Watchdog_External')).toEqual({ status: 200, body: { status: 'OK', database: 'HCM' } });
    databaseFails = true;
    const { status, body } = await get('/Watchdog_External');
    expect({ status, detail: body['detail'] }).toEqual({ status: 503, detail: 'the database of warehouse HCM failed: no route to host' });
    expect((await get('/Watchdog_Selfclosure')).status).toBe(200);
  });

  it('stops the node for a direct call only: no page of another site, no name that leads here', async () => {
    operate();
    const refused: [headers: Record<string, string>, status: number][] = [
      [{ host: 'evil.example' }, 421],
      [{ host: `evil.example:${port.port}` }, 421],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ origin: 'http://evil.example' }, 403],
      [{ origin: 'null' }, 403],
    ];
    for (const [headers, status] of refused) expect((await get('/command/stop', headers)).status).toBe(status);
    expect(stopped).toBe(false);
    expect(await get('/command/stop')).toMatchObject({ status: 200, body: { name: 'ann', status: 'stopping' } });
    expect(stopped).toBe(true);
    expect((await get('/command/nothing')).status).toBe(404);
  });

  it('takes the next free port when none was asked for, and refuses one that is taken when it was', async () => {
    const options = { host: '127.0.0.1', clock: systemClock, version: 't' };
    await expect(openOpsPort({ ...options, port: port.port })).rejects.toThrow(/EADDRINUSE/);
    const [one, two] = [await openOpsPort({ ...options, port: undefined }), await openOpsPort({ ...options, port: undefined })];
    expect(two.port).toBeGreaterThan(one.port);
    expect(two.address).toBe(`http://127.0.0.1:${two.port}`);
    await Promise.all([one.close(), two.close()]);
  });
});
