import { describe, expect, it } from 'vitest';
import { WarehouseAway } from '#domain/errors.ts';
import { newOrderId } from '#domain/ids.ts';
import type { BulkAction, BulkPart } from '#engine/bulk-store.ts';
import { type Clock, systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { newOrder, ORDER_WORKFLOW } from '#test/orders.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { OrderPresenter } from '../view.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { PartRun } from './run-part.ts';

const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 0, failureRate: 0, clock: systemClock })]);

/** Nobody waits: time goes by when somebody would, and not otherwise. */
function hastyClock(): Clock & { waitedMs: number } {
  const clock = {
    ...systemClock,
    waitedMs: 0,
    monotonic: () => clock.waitedMs,
    after(delayMs: number, call: () => void) {
      const handle = setImmediate(() => {
        clock.waitedMs += delayMs;
        call();
      });
      return { cancel: () => clearImmediate(handle) };
    },
  };
  return clock;
}

/** A warehouse whose database goes away at its n-th call, before or after that was done. */
function breakingAt(store: Store, call: number, isDone: boolean): Warehouse {
  let calls = 0;
  const presence = { isHere: true };
  const wrap = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value === 'object' && value !== null) return wrap(value);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          calls += 1;
          if (calls === call) presence.isHere = false;
          if (!presence.isHere && !(isDone && calls === call)) throw new WarehouseAway('HCM', 'the test says so');
          const result: unknown = await value.apply(target, args);
          if (!presence.isHere) throw new WarehouseAway('HCM', 'the test says so');
          return result;
        };
      },
    });
  return { name: 'HCM', number: 1, store: wrap(store), presence } as unknown as Warehouse;
}

async function openPart(action: BulkAction, orderCount: number): Promise<{ store: Store; orderIds: string[]; bulkId: string }> {
  const store = createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock: systemClock });
  await store.registerWorkflows([ORDER_WORKFLOW]);
  const orders = Array.from({ length: orderCount }, () => newOrder({ content: { symbol: 'abc' } }));
  await store.acceptOrders([...orders, newOrder({ content: { symbol: 'other' } })]);
  const orderIds = orders.map(({ orderId }) => orderId);
  if (action === 'retry')
    for (const orderId of orderIds) await store.cancelOrder({ orderId, customerId: undefined, actor: 'user', reason: undefined });
  // What came within the millisecond of the begin would be left alone.
  const accepted = systemClock.now();
  while (systemClock.now() === accepted);
  const bulkId = newOrderId(0, systemClock.now(), systemClock.entropy());
  const asked = { bulkId, action, filter: { symbol: 'abc' }, warehouses: ['HCM'], pace: 16, share: 0.5, actor: 'ann', reason: undefined };
  await store.bulk.begin({ ...asked, matching: orderCount, isMore: false }, bulkId);
  return { store, orderIds, bulkId };
}

const partOf = async (store: Store, bulkId: string): Promise<BulkPart> => (await store.bulk.find([bulkId]))[0] as BulkPart;

function runOf(warehouse: Warehouse, part: BulkPart, clock: Clock = hastyClock(), signal = new AbortController().signal): PartRun {
  return new PartRun({ clock, log: silentLog, registry, presenter: new OrderPresenter(registry) }, warehouse, part, signal);
}

/** Never breaks. */
const whole = (store: Store): Warehouse => breakingAt(store, Number.POSITIVE_INFINITY, false);

describe('a part of a bulk operation', () => {
  const COUNT = 19;

  it('sees to every order that matches, newest first, no faster than its share of the pace', async () => {
    const { store, orderIds, bulkId } = await openPart('cancel', COUNT);
    const clock = hastyClock();
    const last = await runOf(whole(store), await partOf(store, bulkId), clock).run();
    expect(last).toMatchObject({ state: 'done', counts: { succeeded: COUNT, refused: 0, failed: 0 }, batch: [] });
    expect((await store.listOrderIds({ statuses: ['cancelled'], limit: 50 })).sort()).toEqual(orderIds.toSorted());
    // Four at a time are half a second of eight per second; the first four wait for nobody.
    expect(clock.waitedMs).toBeGreaterThanOrEqual(((COUNT - 3) / 8) * 1_000 - 1);
    expect(clock.waitedMs).toBeLessThanOrEqual((COUNT / 8) * 1_000 + 1);
    const [record] = await store.readOrders(orderIds.slice(0, 1));
    expect(record?.events.at(-1)?.data).toEqual({ actor: 'ann', reason: `bulk ${bulkId}` });
  });

  it.each(['cancel', 'retry'] as const)('%s: wherever it breaks off, going on sees to every order and counts it once', async (action) => {
    let broke = 0;
    for (const isDone of [false, true]) {
      for (let call = 1; ; call += 1) {
        const { store, orderIds, bulkId } = await openPart(action, 9);
        const first = await runOf(breakingAt(store, call, isDone), await partOf(store, bulkId))
          .run()
          .catch((error: unknown) => error);
        if (!(first instanceof WarehouseAway)) break;
        broke += 1;
        const part = await partOf(store, bulkId);
        const last = part.state === 'running' ? await runOf(whole(store), part).run() : part;
        expect([call, isDone, last]).toMatchObject([call, isDone, { state: 'done', counts: { succeeded: 9, refused: 0, failed: 0 } }]);
        if (action === 'cancel') expect(await store.countOrders({ statuses: ['cancelled'], limit: 50 })).toBe(9);
        else
          expect(
            (await store.listOrders({ limit: 50 }))
              .filter(({ order }) => order.retryOf)
              .map(({ order }) => order.retryOf)
              .sort(),
          ).toEqual(orderIds.toSorted());
      }
    }
    expect(broke).toBeGreaterThan(30);
  });

  it('ends where it stands when it is told to, with what it did written down', async () => {
    const { store, bulkId } = await openPart('cancel', COUNT);
    const stopping = new AbortController();
    const cancelOrder: Store['cancelOrder'] = (request) => {
      stopping.abort();
      return store.cancelOrder(request);
    };
    const part = await partOf(store, bulkId);
    const last = await runOf(whole({ ...store, cancelOrder }), part, hastyClock(), stopping.signal).run();
    const cancelled = await store.countOrders({ statuses: ['cancelled'], limit: 50 });
    expect(cancelled).toBeLessThan(COUNT);
    expect(last).toMatchObject({ state: 'running', counts: { succeeded: cancelled } });
  });

  it('ends when it was stopped, and counts what was under way', async () => {
    const { store, bulkId } = await openPart('cancel', COUNT);
    const part = await partOf(store, bulkId);
    let seen = 0;
    const cancelOrder: Store['cancelOrder'] = async (request) => {
      seen += 1;
      if (seen === 6) await store.bulk.stop(bulkId, { actor: 'bob', reason: undefined });
      return store.cancelOrder(request);
    };
    const last = await runOf(whole({ ...store, cancelOrder }), part).run();
    expect(last).toMatchObject({ state: 'stopped', stoppedBy: 'bob', counts: { succeeded: seen } });
    expect(await store.countOrders({ statuses: ['cancelled'], limit: 50 })).toBe(seen);
    expect(seen).toBeLessThan(COUNT);
  });

  it('leaves alone what was accepted after it began, and what was retried before', async () => {
    const { store, orderIds, bulkId } = await openPart('retry', 3);
    const late = newOrder({ content: { symbol: 'abc' } });
    await store.acceptOrders([late]);
    await store.cancelOrder({ orderId: late.orderId, customerId: undefined, actor: 'user', reason: undefined });
    const before = { newOrderId: newOrderId(1, systemClock.now() - 60_000, systemClock.entropy()), workflow: 'order', workflowVersion: 1 };
    const asked = { customerId: undefined, actor: 'bob', reason: undefined };
    await store.operations.retryOrder({ orderId: orderIds[1] as string, ...before, ...asked });
    const last = await runOf(whole(store), await partOf(store, bulkId)).run();
    expect(last).toMatchObject({ state: 'done', counts: { succeeded: 2, refused: 1, failed: 0 } });
    const retried = (await store.listOrders({ limit: 50 })).flatMap(({ order }) => order.retryOf ?? []);
    expect(retried.sort()).toEqual(orderIds.toSorted());
  });

  it('an order that fails does not keep the others waiting', async () => {
    const { store, orderIds, bulkId } = await openPart('cancel', 5);
    const cancelOrder: Store['cancelOrder'] = (request) =>
      request.orderId === orderIds[2] ? Promise.reject(new Error('this one row is broken')) : store.cancelOrder(request);
    const last = await runOf(whole({ ...store, cancelOrder }), await partOf(store, bulkId)).run();
    expect(last).toMatchObject({ state: 'done', counts: { succeeded: 4, refused: 0, failed: 1 } });
  });
});
