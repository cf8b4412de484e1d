import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OrderStatus } from '#domain/order-state.ts';
import { newOrder } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

interface Operation {
  bulk_id: string;
  state: string;
  matching: number;
  done: number;
  succeeded: number;
  refused: number;
  failed: number;
  stopped_by?: string;
  missing_warehouses?: string[];
  warehouses: { name: string; state: string; matching: number; succeeded: number }[];
}

let cluster: TestCluster;

const read = async (gateway: TestGateway, bulkId: string): Promise<Operation> =>
  (await gateway.ask('GET', `/orders/bulk/${bulkId}`)).body as unknown as Operation;

async function begin(gateway: TestGateway, body: object): Promise<Operation> {
  const answer = await gateway.ask('POST', '/orders/bulk', { body });
  expect(answer).toMatchObject({ status: 202 });
  return answer.body as unknown as Operation;
}

async function untilEnded(gateway: TestGateway, bulkId: string): Promise<Operation> {
  await waitUntil(`${bulkId} to end`, async () => (await read(gateway, bulkId)).state !== 'running');
  return read(gateway, bulkId);
}

const untilDone = (gateway: TestGateway, bulkId: string, count: number): Promise<void> =>
  waitUntil(`${count} orders to be seen to`, async () => (await read(gateway, bulkId)).done >= count);

/** Orders of this symbol, in a warehouse. */
async function accept(warehouse: string, symbol: string, count: number): Promise<string[]> {
  const { store } = cluster.of(warehouse);
  const orders = Array.from({ length: count }, () => newOrder({ content: { symbol } }, store.warehouse.number));
  await store.acceptOrders(orders);
  return orders.map(({ orderId }) => orderId);
}

async function countIn(warehouse: string, symbol: string, status: OrderStatus): Promise<number> {
  return cluster.of(warehouse).store.countOrders({ symbol, statuses: [status], limit: 10_000 });
}

const freshSymbol = (): string => randomUUID().slice(0, 8);

describe('bulk operations', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    cluster = await TestCluster.open('HCM', 'HN');
    gateway = await cluster.gateway();
  });
  afterAll(() => cluster.close());

  it('a dry run counts and shows, and does nothing', async () => {
    const symbol = freshSymbol();
    await accept('HCM', symbol, 12);
    await accept('HN', symbol, 3);
    const { status, body } = await gateway.ask('POST', '/orders/bulk', { body: { action: 'cancel', filter: { symbol }, dry_run: true } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      action: 'cancel',
      matching: 15,
      matching_is_lower_bound: false,
      counted_at_most: 10_000,
      filter: { symbol },
    });
    expect(body['sample']).toHaveLength(10);
    expect((body['sample'] as object[])[0]).toMatchObject({ symbol, status: 'queued', warehouse: 'HN' });
    expect([await countIn('HCM', symbol, 'queued'), await countIn('HN', symbol, 'queued')]).toEqual([12, 3]);
  });

  it('more than are counted are said to be more', async () => {
    const symbol = freshSymbol();
    for (let batch = 0; batch < 11; batch += 1) await accept('HCM', symbol, 1_000);
    const body = { action: 'cancel', filter: { symbol }, dry_run: true };
    expect((await gateway.ask('POST', '/orders/bulk', { body })).body).toMatchObject({ matching: 10_000, matching_is_lower_bound: true });
  });

  it('cancels all that match in every warehouse, and nothing else; history and audit say who and why', async () => {
    const [symbol, other] = [freshSymbol(), freshSymbol()];
    const ids = [...(await accept('HCM', symbol, 30)), ...(await accept('HN', symbol, 10))];
    await accept('HCM', other, 2);
    const begun = await begin(gateway, { action: 'cancel', filter: { symbol }, pace: 1_000, reason: 'the bank is down' });
    expect(begun).toMatchObject({ action: 'cancel', by: 'operator', reason: 'the bank is down', pace: 1_000, matching: 40 });
    const ended = await untilEnded(gateway, begun.bulk_id);
    expect(ended).toMatchObject({ state: 'done', done: 40, succeeded: 40, refused: 0, failed: 0, ended_at: expect.any(String) });
    expect(ended.warehouses.map(({ name, state, succeeded }) => [name, state, succeeded])).toEqual([
      ['HCM', 'done', 30],
      ['HN', 'done', 10],
    ]);
    expect([await countIn('HCM', symbol, 'cancelled'), await countIn('HN', symbol, 'cancelled')]).toEqual([30, 10]);
    expect(await countIn('HCM', other, 'queued')).toBe(2);
    const { body } = await gateway.ask('GET', `/orders/${ids[35]}/events`);
    const data = { actor: 'operator', reason: `the bank is down (bulk ${begun.bulk_id})` };
    expect((body['events'] as object[]).at(-1)).toMatchObject({ kind: 'cancelled', data });
    const { body: audit } = await gateway.ask('GET', '/audit?limit=200');
    const entries = (audit['entries'] as { action: string; target: string }[]).filter(({ target }) => target === begun.bulk_id);
    const doneIn = (warehouse: string, succeeded: number) => ({
      ...{ action: 'bulk.done', actor: 'operator', reason: 'the bank is down', warehouse, detail: { succeeded, refused: 0, failed: 0 } },
    });
    expect(entries).toHaveLength(3);
    expect(entries.slice(0, 2)).toEqual(
      expect.arrayContaining([expect.objectContaining(doneIn('HCM', 30)), expect.objectContaining(doneIn('HN', 10))]),
    );
    expect(entries[2]).toMatchObject({
      ...{ action: 'bulk.cancel', actor: 'operator', reason: 'the bank is down', detail: { filter: { symbol } } },
    });
  });

  it('retries what failed or was cancelled, once', async () => {
    const symbol = freshSymbol();
    const ids = await accept('HCM', symbol, 5);
    for (const id of ids) await gateway.ask('POST', `/orders/${id}/cancel`, { body: {} });
    const filter = { symbol, warehouse: 'HCM', since: '2020-01-01T00:00:00Z' };
    const first = await begin(gateway, { action: 'retry', filter, pace: 1_000 });
    expect(await untilEnded(gateway, first.bulk_id)).toMatchObject({
      state: 'done',
      matching: 5,
      succeeded: 5,
      warehouses: [{ name: 'HCM' }],
    });
    const { orders } = (await gateway.ask('GET', `/orders?symbol=${symbol}&status=queued`)).body as unknown as {
      orders: { retry_of: string }[];
    };
    expect(orders.map(({ retry_of }) => retry_of).sort()).toEqual(ids.toSorted());
    const second = await begin(gateway, { action: 'retry', filter, pace: 1_000 });
    expect(await untilEnded(gateway, second.bulk_id)).toMatchObject({ state: 'done', succeeded: 0, refused: 5 });
    expect(await countIn('HCM', symbol, 'queued')).toBe(5);
  });

  it('leaves alone what comes while it runs', async () => {
    const symbol = freshSymbol();
    await accept('HCM', symbol, 20);
    const { bulk_id: id } = await begin(gateway, { action: 'cancel', filter: { symbol }, pace: 100 });
    await accept('HCM', symbol, 4);
    expect(await untilEnded(gateway, id)).toMatchObject({ state: 'done', succeeded: 20 });
    expect(await countIn('HCM', symbol, 'queued')).toBe(4);
  });

  it('one that is stopped leaves the rest as it was, and is told of in the audit', async () => {
    const symbol = freshSymbol();
    await accept('HCM', symbol, 200);
    const { bulk_id: id } = await begin(gateway, { action: 'cancel', filter: { symbol }, pace: 10 });
    await untilDone(gateway, id, 1);
    const stop = await gateway.ask('POST', `/orders/bulk/${id}/stop`, { body: { reason: 'wrong symbol' } });
    expect(stop).toMatchObject({ status: 202, body: { bulk_id: id, state: 'stopped', stopped_by: 'operator' } });
    expect(await gateway.ask('POST', `/orders/bulk/${id}/stop`, { body: {} })).toMatchObject({ status: 202, body: { state: 'stopped' } });
    await gateway.app.close();
    gateway = await cluster.gateway();
    const { succeeded, done } = await read(gateway, id);
    expect(done).toBe(succeeded);
    expect(await countIn('HCM', symbol, 'cancelled')).toBe(succeeded);
    expect(await countIn('HCM', symbol, 'queued')).toBe(200 - succeeded);
    expect(succeeded).toBeLessThan(200);
    const { body: audit } = await gateway.ask('GET', '/audit?limit=200');
    const entries = (audit['entries'] as { target: string }[]).filter(({ target }) => target === id);
    expect(entries).toMatchObject([
      { action: 'bulk.stop', reason: 'wrong symbol' },
      { action: 'bulk.done', warehouse: 'HN', detail: { succeeded: 0 } },
      { action: 'bulk.cancel' },
    ]);
  });

  it('are listed, newest first, with the sums of all warehouses', async () => {
    const symbols = [freshSymbol(), freshSymbol()] as const;
    for (const symbol of symbols) {
      await accept('HCM', symbol, 2);
      await accept('HN', symbol, 1);
    }
    const ids: string[] = [];
    for (const symbol of symbols) ids.push((await begin(gateway, { action: 'cancel', filter: { symbol }, pace: 1_000 })).bulk_id);
    for (const id of ids) await untilEnded(gateway, id);
    const page = (await gateway.ask('GET', '/orders/bulk?limit=1')).body as unknown as { operations: Operation[]; next_cursor: string };
    expect(page.operations).toEqual([await read(gateway, ids[1] as string)]);
    const next = (await gateway.ask('GET', `/orders/bulk?limit=1&cursor=${page.next_cursor}`)).body;
    expect(next['operations']).toMatchObject([{ bulk_id: ids[0], matching: 3, done: 3, filter: { symbol: symbols[0] } }]);
  });

  it.each([
    [{}, '/action'],
    [{ action: 'cancel' }, '/filter'],
    [{ action: 'cancel', filter: {} }, '/filter'],
    [{ action: 'delete', filter: { symbol: 'x' } }, '/action'],
    [{ action: 'cancel', filter: { customer: 'x' } }, '/filter/customer'],
    [{ action: 'cancel', filter: { symbol: 'x' }, dryrun: true }, '/dryrun'],
    [{ action: 'cancel', filter: { symbol: 'x' }, pace: 0 }, '/pace'],
    [{ action: 'cancel', filter: { symbol: 'x' }, pace: 1_001 }, '/pace'],
    [{ action: 'cancel', filter: { symbol: 'x' }, pace: 1.5 }, '/pace'],
    [{ action: 'cancel', filter: { symbol: 'x' }, reason: 'a\u0000b' }, '/reason'],
    [{ action: 'cancel', filter: { status: 'completed' } }, '/filter/status'],
    [{ action: 'retry', filter: { status: 'queued' } }, '/filter/status'],
    [{ action: 'retry', filter: { step: 'Processing' } }, '/filter/step'],
    [{ action: 'cancel', filter: { warehouse: 'nowhere' } }, '/filter/warehouse'],
    [{ action: 'cancel', filter: { id: 'xyz' } }, '/filter/id'],
  ])('%j is refused with the name of what is wrong', async (body, field) => {
    for (const asked of [body, { ...body, dry_run: true }]) {
      const { status, body: problem } = await gateway.ask('POST', '/orders/bulk', { body: asked });
      expect({ status, problem }).toMatchObject({ status: 400, problem: { code: 'invalid-request', errors: expect.any(Array) } });
      expect((problem['errors'] as { field: string }[]).map((fault) => fault.field)).toContain(field);
    }
  });

  it('are for operators only; an unknown one is a 404', async () => {
    const body = { action: 'cancel', filter: { symbol: 'x' } };
    for (const [method, path] of [
      ['POST', '/orders/bulk'],
      ['GET', '/orders/bulk'],
      ['GET', `/orders/bulk/${randomUUID()}`],
      ['POST', `/orders/bulk/${randomUUID()}/stop`],
    ] as const) {
      const asked = method === 'GET' ? {} : { body: path.endsWith('stop') ? {} : body };
      expect(await gateway.ask(method, path, { token: 'user', ...asked })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    }
    expect(await gateway.ask('GET', `/orders/bulk/${randomUUID()}`)).toMatchObject({ status: 404, body: { code: 'bulk-not-found' } });
    expect(await gateway.ask('POST', `/orders/bulk/${randomUUID()}/stop`, { body: {} })).toMatchObject({ status: 404 });
    expect(await gateway.ask('GET', '/orders/bulk/everything')).toMatchObject({ status: 400 });
  });
});

describe('bulk operations whose gateway or warehouse goes away', () => {
  beforeEach(async () => {
    cluster = await TestCluster.open('HCM', 'HN');
  });
  afterEach(() => cluster.close());

  it('another gateway goes on when the one that began it ends in the middle', async () => {
    const symbol = freshSymbol();
    await accept('HCM', symbol, 60);
    await accept('HN', symbol, 30);
    const [first, second] = [await cluster.gateway(), await cluster.gateway()];
    // So slow that it is not at its end when its gateway is, on a busy machine either.
    const { bulk_id: id } = await begin(first, { action: 'cancel', filter: { symbol }, pace: 15 });
    await untilDone(first, id, 5);
    await first.app.close();
    const between = await read(second, id);
    expect(between.state).toBe('running');
    expect(between.done).toBeLessThan(90);
    expect(await untilEnded(second, id)).toMatchObject({ state: 'done', done: 90, succeeded: 90 });
    expect([await countIn('HCM', symbol, 'cancelled'), await countIn('HN', symbol, 'cancelled')]).toEqual([60, 30]);
  });

  it('a warehouse that was away goes on by itself, unless it was stopped meanwhile', async () => {
    const [goes, stops] = [freshSymbol(), freshSymbol()];
    const gateway = await cluster.gateway();
    // So many that neither is at its end when its warehouse goes away, on a busy machine either.
    await accept('HCM', goes, 100);
    await accept('HCM', stops, 400);
    for (const symbol of [goes, stops]) await accept('HN', symbol, 2);
    const [{ bulk_id: going }, { bulk_id: stopping }] = [
      await begin(gateway, { action: 'cancel', filter: { symbol: goes }, pace: 20 }),
      await begin(gateway, { action: 'cancel', filter: { symbol: stops }, pace: 20 }),
    ];
    await untilDone(gateway, going, 3);
    await untilDone(gateway, stopping, 3);
    const hcm = cluster.of('HCM');
    hcm.way.cut();
    // Not at the first refusal: after an outage shorter than a few tries what was under way just goes on, until it is told.
    await waitUntil('HCM to be away', async () => {
      const { warehouses } = (await gateway.ask('GET', '/health')).body as unknown as { warehouses: { name: string; status: string }[] };
      return warehouses.some(({ name, status }) => name === 'HCM' && status === 'unavailable');
    });
    expect((await gateway.ask('POST', `/orders/bulk/${stopping}/stop`, { body: {} })).body).toMatchObject({
      ...{ state: 'running', stopped_by: 'operator', missing_warehouses: ['HCM'] },
    });
    const begun = await begin(gateway, { action: 'cancel', filter: { symbol: freshSymbol() } });
    expect(begun).toMatchObject({ missing_warehouses: ['HCM'], warehouses: [{ name: 'HN' }] });
    const before = await countIn('HCM', stops, 'cancelled');
    hcm.way.restore();
    expect(await untilEnded(gateway, stopping)).toMatchObject({ state: 'stopped', stopped_by: 'operator' });
    expect(await untilEnded(gateway, going)).toMatchObject({ state: 'done', done: 102, succeeded: 102 });
    expect(await countIn('HCM', goes, 'cancelled')).toBe(100);
    expect(await countIn('HCM', stops, 'cancelled')).toBe(before);
  });

  it('orders that run are undone', async () => {
    const symbol = freshSymbol();
    await accept('HCM', symbol, 30);
    const node = await cluster.node('HCM', { slots: 10, stepMs: 60_000 });
    await waitUntil('ten orders to run', async () => (await countIn('HCM', symbol, 'processing')) === 10);
    const gateway = await cluster.gateway();
    const { bulk_id: id } = await begin(gateway, { action: 'cancel', filter: { symbol, warehouse: 'HCM' }, pace: 1_000 });
    const ended = await untilEnded(gateway, id);
    expect(ended).toMatchObject({ state: 'done', failed: 0, succeeded: 30 });
    await waitUntil('all to be cancelled', async () => (await countIn('HCM', symbol, 'cancelled')) === 30);
    await node.stop({ graceMs: 0 });
  });
});
