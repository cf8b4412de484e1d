import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { OrderStatus } from '#domain/order-state.ts';
import type { NewOrder } from '#engine/store.ts';
import { hashBody } from '#gateway/idempotency.ts';
import { newOrder } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

const BODY = { region: 'HN', symbol: 'abc' };

describe('one key, one order, whichever warehouse was away', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.open('HCM', 'HN', 'DN');
  });
  afterEach(() => cluster.close());

  const health = async (gateway: TestGateway, name: string): Promise<string | undefined> => {
    const { body } = await gateway.ask('GET', '/health');
    return (body['warehouses'] as { name: string; status: string }[]).find((one) => one.name === name)?.status;
  };
  const takeAway = async (gateway: TestGateway, name: string): Promise<void> => {
    cluster.of(name).way.cut();
    await waitUntil(`${name} to be away`, async () => (await health(gateway, name)) === 'unavailable');
  };
  const bringBack = async (gateway: TestGateway, name: string): Promise<void> => {
    cluster.of(name).way.restore();
    await waitUntil(`${name} to be back`, async () => (await health(gateway, name)) === 'OK');
    await waitUntil(`the gate of ${name} to be open`, async () => (await gateOf(name)) === true);
  };
  const gateOf = async (name: string): Promise<boolean> => (await cluster.of(name).store.peers.readPulse()).gate.open;
  const unsettled = async (): Promise<string[]> =>
    (await Promise.all(cluster.warehouses.map(({ store }) => store.peers.readPulse()))).flatMap(({ unsettledHomes }) => unsettledHomes);
  const settled = (): Promise<void> => waitUntil('all keys to be known at home', async () => (await unsettled()).length === 0);
  /** Every order that was stored under the key, wherever, as `warehouse status`. */
  const ordersOf = async (key: string): Promise<string[]> => {
    const found = await Promise.all(
      cluster.warehouses.map(async ({ name, client }) => {
        const { rows } = await client.query<{ state: OrderStatus }>(`select state from orders where content ->> 'tracking_id' = $1`, [key]);
        return rows.map(({ state }) => `${name} ${state}`);
      }),
    );
    return found.flat().sort();
  };
  const conflictsOf = async (gateway: TestGateway): Promise<Record<string, unknown>[]> =>
    (await gateway.ask('GET', '/conflicts')).body['conflicts'] as Record<string, unknown>[];
  /** An order as a gateway stored it, whose answer was lost on its way. */
  const storedBefore = async (name: string, key: string, changes: Partial<NewOrder> = {}): Promise<string> => {
    const content = { ...BODY, tracking_id: key };
    const { store } = cluster.of(name);
    const order = newOrder({ content, keys: [{ kind: 'tracking', key }], bodyHash: hashBody(content), ...changes }, store.warehouse.number);
    await store.acceptOrders([order]);
    return order.orderId;
  };
  /** An order that waits in HN, of which nothing is begun: its nodes are gone, and the gate shuts as nobody attends it. */
  const holdAtHome = async (): Promise<{ key: string; held: string }> => {
    const node = await cluster.node('HN');
    await waitUntil('the gate to be open', () => gateOf('HN'));
    await node.stop({ graceMs: 0 });
    const key = randomUUID();
    return { key, held: await storedBefore('HN', key) };
  };
  const gateShuts = (): Promise<void> => waitUntil('the gate to be shut', async () => !(await gateOf('HN')));
  const submit = (gateway: TestGateway, key: string) => gateway.submit({ ...BODY, tracking_id: key });

  it('I2: sent again while its home is away and after, it is one order', async () => {
    const gateway = await cluster.gatewayWithNodes();
    await takeAway(gateway, 'HN');
    const key = randomUUID();
    const first = await submit(gateway, key);
    expect(first).toMatchObject({
      status: 202,
      body: { routed_because: { code: 'fallback', message: expect.stringMatching(/^HN is down; /) } },
    });
    expect(await submit(gateway, key)).toMatchObject({ status: 200, body: { order_id: first.body.order_id } });
    const changed = await gateway.submit({ ...BODY, symbol: 'xyz', tracking_id: key });
    expect(changed).toMatchObject({ status: 422, body: { code: 'idempotency-mismatch' } });
    await bringBack(gateway, 'HN');
    await settled();
    const after = await submit(gateway, key);
    expect(after).toMatchObject({ status: 200, body: { order_id: first.body.order_id, warehouse: first.body['warehouse'] } });
    expect(await gateway.submit({ ...BODY, symbol: 'xyz', tracking_id: key })).toMatchObject({ status: 422 });
    expect(await ordersOf(key)).toHaveLength(1);
    expect((await submit(gateway, randomUUID())).body).toMatchObject({ warehouse: 'HN', routed_because: { code: 'home' } });
  });

  it('I2: stored at home before it went away and not begun: it waits behind the gate, and yields to the one that ran elsewhere', async () => {
    const gateway = await cluster.gateway();
    await cluster.node('DN');
    await cluster.node('HCM');
    const { key, held } = await holdAtHome();
    await takeAway(gateway, 'HN');
    const elsewhere = await submit(gateway, key);
    expect(elsewhere.status).toBe(202);
    // The same server is back, but nobody attended its gate meanwhile.
    await gateShuts();
    cluster.of('HN').way.restore();
    await cluster.node('HN');
    await bringBack(gateway, 'HN');
    await waitUntil('one of the two to be cancelled', async () => (await ordersOf(key)).some((order) => order === 'HN cancelled'));
    await waitUntil('the other to complete', async () => (await ordersOf(key)).some((order) => order.endsWith(' completed')));
    expect(await ordersOf(key)).toHaveLength(2);
    await settled();
    expect(await submit(gateway, key)).toMatchObject({ status: 200, body: { order_id: elsewhere.body.order_id } });
    const history = await gateway.ask('GET', `/orders/${held}/events`);
    expect((history.body['events'] as object[]).at(-1)).toMatchObject({
      kind: 'cancelled',
      data: { actor: 'conveyor', reason: expect.stringContaining(elsewhere.body.order_id) },
    });
    expect(await conflictsOf(gateway)).toEqual([]);
  });

  it('I2: without a like elsewhere it goes on as soon as that is known', async () => {
    const gateway = await cluster.gateway();
    await cluster.node('DN');
    const { key, held } = await holdAtHome();
    await gateShuts();
    await takeAway(gateway, 'HCM');
    await cluster.node('HN');
    await waitUntil('the order to wait for the gate', async () => {
      const { body } = await gateway.ask('GET', `/orders/${held}`);
      return (body['waiting_because'] as { code: string } | undefined)?.code === 'gate';
    });
    expect(await ordersOf(key)).toEqual(['HN queued']);
    cluster.of('HCM').way.restore();
    await waitUntil('it to complete', async () => (await ordersOf(key))[0] === 'HN completed');
  });

  it('I15: what could not be compared in time goes on, marked; the mark is resolved when it was compared later', async () => {
    const gateway = await cluster.gateway();
    const { key, held } = await holdAtHome();
    await gateShuts();
    await takeAway(gateway, 'DN');
    await cluster.node('HN', { gateLimitMs: 500 });
    await waitUntil('it to complete', async () => (await ordersOf(key))[0] === 'HN completed');
    const [mark] = await conflictsOf(gateway);
    expect(mark).toMatchObject({ kind: 'not_compared', warehouse: 'HN', order_id: held });
    expect(mark?.['missing']).toContain('DN');
    await waitUntil('the warehouse to show it', async () => {
      const view = (await gateway.ask('GET', '/warehouses')).body['warehouses'] as { name: string; open_conflicts?: number }[];
      return view.find(({ name }) => name === 'HN')?.open_conflicts === 1;
    });
    cluster.of('DN').way.restore();
    await waitUntil('the mark to be resolved', async () => (await conflictsOf(gateway)).length === 0);
    expect((await gateway.ask('GET', '/conflicts?all=true')).body['conflicts']).toMatchObject([
      { id: mark?.['id'], resolved_by: 'conveyor', resolution: 'compared later' },
    ]);
  });

  it('I15: both processed: a conflict that says which; other bodies: one too', async () => {
    const gateway = await cluster.gatewayWithNodes({}, { straight: true });
    const [key, other] = [randomUUID(), randomUUID()];
    await takeAway(gateway, 'HN');
    const [second, third] = [await submit(gateway, key), await submit(gateway, other)];
    const first = await storedBefore('HN', key);
    const otherBody = await storedBefore('HN', other, { bodyHash: hashBody({ region: 'HN', symbol: 'other' }) });
    // The gateway is cut off from it, its node is not: nobody could know.
    for (const each of [key, other])
      await waitUntil('both to complete', async () => (await ordersOf(each)).every((order) => order.endsWith(' completed')));
    cluster.of('HN').way.restore();
    await waitUntil('both conflicts to be listed', async () => (await conflictsOf(gateway)).length === 2);
    const found = await conflictsOf(gateway);
    expect(found.find(({ kind }) => kind === 'other_body')).toMatchObject({
      order_id: otherBody,
      other_order_id: third.body.order_id,
      key: { kind: 'tracking', key: other },
    });
    expect(found.find(({ kind }) => kind === 'both_processed')).toMatchObject({
      order_id: first,
      other_order_id: second.body.order_id,
      customer_id: 'user',
    });
  });

  it('I2: a home that answers decides, whoever stores the order: many at once through two gateways', async () => {
    const gateways = [await cluster.gatewayWithNodes(), await cluster.gateway()];
    await gateways[0]?.ask('POST', '/warehouses/HN/disable', { body: {} });
    await waitUntil('both to know', async () =>
      (await Promise.all(gateways.map((one) => health(one, 'HN')))).every((status) => status === 'disabled'),
    );
    const keys = Array.from({ length: 10 }, () => randomUUID());
    const answers = await Promise.all(
      keys.flatMap((key) => Array.from({ length: 8 }, (_, n) => submit(gateways[n % 2] as TestGateway, key))),
    );
    for (const [index, key] of keys.entries()) {
      const own = answers.slice(index * 8, index * 8 + 8);
      expect(new Set(own.map(({ body }) => body.order_id)).size).toBe(1);
      expect(own.filter(({ status }) => status === 202)).toHaveLength(1);
      expect(await ordersOf(key)).toHaveLength(1);
      expect((await ordersOf(key))[0]).not.toMatch(/^HN/);
    }
    await gateways[0]?.ask('POST', '/warehouses/HN/enable', { body: {} });
    expect(await submit(gateways[1] as TestGateway, keys[0] as string)).toMatchObject({
      status: 200,
      body: { order_id: answers[0]?.body.order_id },
    });
  });

  it('I2: a reservation whose order was never stored is completed by whoever repeats the request', async () => {
    const gateway = await cluster.gatewayWithNodes();
    const key = randomUUID();
    const content = { ...BODY, tracking_id: key };
    const { orderId } = newOrder({}, cluster.of('DN').store.warehouse.number);
    const reservation = { orderId, customerId: 'user', keys: [{ kind: 'tracking' as const, key }], bodyHash: hashBody(content) };
    expect(await cluster.of('HN').store.peers.reserveKeys([reservation])).toEqual([{ outcome: 'reserved' }]);
    const answers = await Promise.all(Array.from({ length: 6 }, () => submit(gateway, key)));
    expect(new Set(answers.map(({ body }) => body.order_id))).toEqual(new Set([orderId]));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(await ordersOf(key)).toHaveLength(1);
  });

  it('the answer of a key whose order is in a warehouse that is away is 503, and names it', async () => {
    const gateway = await cluster.gatewayWithNodes({ routing: { fallback: new Map([['HN', ['DN']]]) } });
    await gateway.ask('POST', '/warehouses/HN/disable', { body: {} });
    const key = randomUUID();
    expect((await submit(gateway, key)).body).toMatchObject({ warehouse: 'DN' });
    await takeAway(gateway, 'DN');
    expect(await submit(gateway, key)).toMatchObject({ status: 503, body: { detail: expect.stringContaining('DN') } });
    await bringBack(gateway, 'DN');
    expect(await submit(gateway, key)).toMatchObject({ status: 200, body: { warehouse: 'DN' } });
    expect(await ordersOf(key)).toHaveLength(1);
  });

  it('I2: an id that nothing can be called fails alone, and never makes a second order of somebody else’s key', async () => {
    const gateway = await cluster.gatewayWithNodes();
    await takeAway(gateway, 'HN');
    const keys = Array.from({ length: 20 }, () => randomUUID());
    const first = await Promise.all(keys.map((key) => submit(gateway, key)));
    const poison = (): Promise<number> => fetch(`${gateway.url}/order/%00`).then(({ status }) => status);
    const again = keys.flatMap((key) => [poison(), submit(gateway, key), poison()]);
    const answers = await Promise.all(again);
    for (const [index, key] of keys.entries()) {
      expect(answers[3 * index]).toBe(404);
      expect(answers[3 * index + 1]).toMatchObject({ status: 200, body: { order_id: first[index]?.body.order_id } });
      expect(await ordersOf(key)).toHaveLength(1);
    }
    // The store itself refuses such a key: only the one who asks for it fails.
    const [bad, good] = await Promise.allSettled([
      gateway.ask('GET', `/order/${'x'.repeat(40)}%00`, { token: 'user' }),
      gateway.ask('GET', `/orders/${first[0]?.body.order_id}`, { token: 'user' }),
    ]);
    expect([bad, good].map((one) => one.status === 'fulfilled' && one.value.status)).toEqual([404, 200]);
  });

  it('I2: a header that is used again with another body is refused, whatever other keys the body has', async () => {
    const gateway = await cluster.gatewayWithNodes();
    const header = randomUUID();
    const answers: number[] = [];
    for (let n = 0; n < 8; n += 1) answers.push((await gateway.submit({ tracking_id: randomUUID() }, header)).status);
    expect(answers).toEqual([202, 422, 422, 422, 422, 422, 422, 422]);
  });
});
