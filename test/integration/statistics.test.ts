import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptMany, newOrder } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

describe('GET /statistics', () => {
  let cluster: TestCluster;
  let gateway: TestGateway;
  beforeAll(async () => {
    cluster = await TestCluster.open('HCM', 'HN', 'DN');
    await cluster.node('HCM');
    await cluster.node('HN');
    gateway = await cluster.gateway();
  });
  afterAll(() => cluster.close());

  // biome-ignore lint/suspicious/noExplicitAny: bodies are whatever the test asks of them
  const read = async (query = '', token = 'operator'): Promise<{ status: number; body: any }> =>
    gateway.ask('GET', `/statistics${query}`, { token });

  it('adds up what the leaders of all warehouses have counted, some seconds after it happened', { timeout: 60_000 }, async () => {
    expect((await read()).body).toMatchObject({ totals: { accepted: 0 }, time_to_completion_ms: null });
    await acceptMany(cluster.of('HCM').store, 3);
    await acceptMany(cluster.of('HN').store, 1);
    await waitUntil('all to be counted', async () => {
      const { totals, running, waiting } = (await read()).body;
      return totals.completed === 4 && running + waiting.orders === 0;
    });
    const { body } = await read('?range=5m');
    expect(body).toMatchObject({
      ...{ range: '5m', bucket_s: 10, totals: { accepted: 4, completed: 4, failed: 0, cancelled: 0 }, needs_attention: 0, running: 0 },
      warehouses: [
        { name: 'HCM', accepted: 3, completed: 3, queued: 0, running: 0, until: expect.any(String) },
        { name: 'HN', accepted: 1, completed: 1, until: expect.any(String) },
        { name: 'DN', accepted: 0, completed: 0 },
      ],
      waiting: { orders: 0 },
    });
    expect(body.warehouses[2]).not.toHaveProperty('until');
    expect(body.waiting).not.toHaveProperty('oldest');
    expect(body).not.toHaveProperty('missing_warehouses');
    const { since, until, points, generated_at } = body;
    expect(points).toHaveLength(30);
    expect([points[0].at, Date.parse(until) - Date.parse(since)]).toEqual([since, 300_000]);
    expect(points.reduce((sum: number, { completed }: { completed: number }) => sum + completed, 0)).toBe(4);
    expect(Math.abs(Date.parse(generated_at) - Date.parse(until))).toBeLessThan(30_000);
    const { p50, p95, p99 } = body.time_to_completion_ms;
    expect(p50 > 0 && p50 <= p95 && p95 <= p99 && p99 < 60_000).toBe(true);
    const metrics = (await gateway.ask('GET', '/metrics?format=json')).body;
    expect(body.execution_price).toEqual({ total: metrics['TotalOrderExecutionPrice'], average: metrics['AverageOrderExecutionPrice'] });
  });

  it.each([
    ['15m', 90, 10],
    ['1h', 60, 60],
    ['6h', 72, 300],
    ['24h', 96, 900],
    ['7d', 84, 7_200],
  ])('shows %s in %i points', async (range, count, seconds) => {
    const { status, body } = await read(`?range=${range}`);
    expect([status, body.points.length, body.bucket_s, body.totals.accepted]).toEqual([200, count, seconds, 4]);
  });

  it('shows the order that waits longest, wherever it does', async () => {
    const [first, second] = [newOrder({}, cluster.of('DN').store.warehouse.number), newOrder({}, cluster.of('DN').store.warehouse.number)];
    for (const order of [first, second]) await cluster.of('DN').store.acceptOrders([order]);
    await waitUntil('them to be counted', async () => (await read()).body.waiting.orders === 2);
    expect((await read()).body.waiting.oldest).toEqual({ order_id: first.orderId, warehouse: 'DN', since: expect.stringMatching(/Z$/) });
  });

  it('refuses another range, naming those there are, whoever is no operator, and what it does not know', async () => {
    const detail = 'the query: range must be one of 5m, 15m, 1h, 6h, 24h, 7d';
    expect(await read('?range=2h')).toMatchObject({ status: 400, body: { code: 'invalid-request', detail } });
    expect(await read('?bucket=1')).toMatchObject({ status: 400, body: { detail: expect.stringContaining('bucket') } });
    expect((await read('', 'user')).status).toBe(403);
    expect((await fetch(`${gateway.url}/statistics`)).status).toBe(401);
  });

  it('names the warehouses that are away; when all are it is 503', async () => {
    const isAway = (name: string) => async () => (await read()).body.missing_warehouses?.includes(name) ?? false;
    cluster.of('HN').way.cut();
    await waitUntil('HN to be away', isAway('HN'));
    const { status, body } = await read();
    expect({ status, body }).toMatchObject({ status: 200, body: { missing_warehouses: ['HN'], totals: { accepted: 3 } } });
    expect(body.warehouses.map(({ name }: { name: string }) => name)).toEqual(['HCM', 'DN']);
    for (const name of ['HCM', 'DN']) cluster.of(name).way.cut();
    await waitUntil('all to be away', async () => (await read()).status === 503);
    expect((await read()).body).toMatchObject({ code: 'warehouse-unavailable' });
  });
});
