import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatMillionths } from '#domain/money.ts';
import { acceptMany, newOrder } from '#test/orders.ts';
import { recomputeTotals } from '#test/recomputed-totals.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';
import { priceExecution } from '../../src/workflows/execution-price.ts';

const ENDED = `select count(*)::int as n from orders where state in ('completed', 'failed', 'cancelled')`;
describe('execution prices', () => {
  let cluster: TestCluster;
  let gateway: TestGateway;
  beforeAll(async () => {
    cluster = await TestCluster.open('HCM', 'HN');
    await cluster.node('HCM', { failureRate: 0.1 });
    await cluster.node('HCM', { failureRate: 0.1 });
    await cluster.node('HN');
    // After the nodes: a gateway that saw none yet would send orders elsewhere.
    gateway = await cluster.gateway();
  });
  afterAll(() => cluster.close());

  const metrics = async (): Promise<Record<string, unknown>> => (await gateway.ask('GET', '/metrics?format=json')).body;
  const orderOf = async (orderId: string) => (await gateway.ask('GET', `/orders/${orderId}`)).body;
  const untilEnded = (name: string, count: number): Promise<void> =>
    waitUntil('all to end', async () => (await cluster.of(name).client.query<{ n: number }>(ENDED)).rows[0]?.n === count);

  it('are computed by Processing from the quantity, kept with their inputs, shown as text, and undone with the step', async () => {
    const { body } = await gateway.submit({ region: 'HN', quantity: 7 });
    await waitUntil('it to complete', async () => (await orderOf(body.order_id))['status'] === 'completed');
    const expected = priceExecution(7, `${body.order_id}:3:forward`);
    expect(await orderOf(body.order_id)).toMatchObject({ execution_price: expected.execution_price });
    const events = (await gateway.ask('GET', `/orders/${body.order_id}/events`)).body['events'] as {
      kind: string;
      step_name: string;
      data?: object;
    }[];
    expect(events.find(({ kind, step_name }) => kind === 'step_completed' && step_name === 'Processing')?.data).toEqual({
      result: expected,
    });
    const failing = newOrder({ content: { quantity: 3 } }, cluster.of('HCM').store.warehouse.number);
    await cluster.of('HCM').store.acceptOrders([failing]);
    await untilEnded('HCM', 1);
  });

  it('their total and average are those of the completed orders, to the last digit, over all warehouses, after failures and rollbacks', {
    timeout: 60_000,
  }, async () => {
    const store = cluster.of('HCM').store;
    for (let batch = 0; batch < 4; batch += 1) await acceptMany(store, 250);
    await acceptMany(cluster.of('HN').store, 100);
    await untilEnded('HCM', 1_001);
    await untilEnded('HN', 101);
    const rows = await Promise.all(cluster.warehouses.map(({ client }) => recomputeTotals(client)));
    const completed = rows.reduce((sum, row) => sum + row.completed, 0);
    const priced = rows.reduce((sum, row) => sum + row.priced, 0);
    const total = rows.reduce((sum, row) => sum + row.millionths, 0n);
    expect(completed).toBeLessThan(1_102);
    expect(completed).toBeGreaterThan(500);
    expect(priced).toBe(completed);
    const average = (2n * total + BigInt(priced)) / (2n * BigInt(priced));
    expect(await metrics()).toMatchObject({
      TotalOrdersProcessed: completed,
      TotalOrderExecutionPrice: formatMillionths(total),
      AverageOrderExecutionPrice: formatMillionths(average),
    });
    const text = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(text).toContain(`conveyor_orders_completed_total{warehouse="HCM"} ${rows[0]?.completed}\n`);
    expect(text).toContain(`conveyor_execution_price_total{warehouse="HCM"} ${formatMillionths(rows[0]?.millionths ?? 0n)}\n`);
    expect(text).toMatch(/^# TYPE conveyor_warehouse_up gauge\nconveyor_warehouse_up\{warehouse="HCM"\} 1$/m);
  });

  it('/metrics is JSON for who accepts it, text otherwise; of operators only, but open on a development start', async () => {
    const json = await fetch(`${gateway.url}/metrics`, { headers: { accept: 'application/json' } });
    expect(json.headers.get('content-type')).toMatch(/^application\/json/);
    const text = await fetch(`${gateway.url}/metrics`);
    expect(text.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect((await gateway.ask('GET', '/metrics', { token: 'user' })).status).toBe(403);
    expect((await gateway.ask('GET', '/metrics?format=xml')).status).toBe(400);
    const strict = await cluster.gateway({ developmentTokens: false });
    expect((await fetch(`${strict.url}/metrics`)).status).toBe(401);
  });

  it('the old routes: the quantity, and the price as a number, before and after it was computed; by the own id too; 404 for others', async () => {
    const own = `own-${randomUUID()}`;
    const { body } = await gateway.ask('POST', '/order', {
      token: 'user',
      body: { order_id: own, quantity: 4, region: 'HN', timestamp: '2024-01-31T10:00:00.123456' },
    });
    expect(body).toMatchObject({ order_id: own });
    const ask = async (method: string, path: string) => {
      const response = await fetch(`${gateway.url}${path}`, { method });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    expect(await ask('GET', `/order_info/${own}`)).toEqual({ status: 200, body: { quantity: 4 } });
    const early = await ask('POST', `/cal_execution_price/${own}`);
    expect(early).toEqual({ status: 200, body: { value: expect.any(Number) } });
    await waitUntil('it to complete', async () => (await ask('GET', `/order/${own}`)).body['status'] === 'completed');
    const { body: shown } = await ask('GET', `/order/${own}`);
    expect(await ask('GET', `/cal_execution_price/${own}`)).toEqual({ status: 200, body: { value: Number(shown['execution_price']) } });
    expect(early.body['value']).toBe(Number(shown['execution_price']));
    for (const path of ['/order_info/hajsd', '/cal_execution_price/hajsd', '/order/hajsd', `/order_info/${randomUUID()}`])
      expect((await ask('GET', path)).status).toBe(404);
  });

  it('a failed order has no price any more', async () => {
    const { rows } = await cluster.of('HCM').client.query<{ id: string }>(
      `select o.order_id::text as id from orders o where o.state = 'failed' and exists (
         select from order_history e where e.order_id = o.order_id and e.kind = 'step_completed' and e.step = 3) limit 1`,
    );
    const id = rows[0]?.id ?? '';
    expect(await orderOf(id)).not.toHaveProperty('execution_price');
    expect(await gateway.ask('GET', `/cal_execution_price/${id}`, { token: 'user' })).toMatchObject({
      status: 409,
      body: { code: 'order-state-conflict' },
    });
  });
});
