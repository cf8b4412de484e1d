import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

interface Row {
  key: string;
  order_id: string;
}

describe('the order generator', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.open('HCM', 'HN');
    await Promise.all(cluster.warehouses.map(({ name }) => cluster.node(name)));
  });
  afterEach(() => cluster.close());

  /** Every generated order of the cluster, with the key of its tick. */
  const generated = async (): Promise<Row[]> => {
    const rows = await Promise.all(
      cluster.warehouses.map(async ({ client }) => {
        const { rows } = await client.query<Row>(
          `select k.key, k.order_id::text as order_id from order_keys k join orders o using (order_id) where o.customer_id = 'generator'`,
        );
        return rows;
      }),
    );
    return rows.flat();
  };
  const ticksOf = (rows: readonly Row[]): number[] => rows.map(({ key }) => Number(key.split('-')[2])).sort((a, b) => a - b);
  const atLeast = (count: number): Promise<void> =>
    waitUntil(`${count} orders to be generated`, async () => (await generated()).length >= count);
  const start = (gateway: TestGateway, every: string) => gateway.ask('POST', '/generator/start', { body: { every } });
  const isRunning = async (gateway: TestGateway): Promise<boolean> => (await gateway.ask('GET', '/generator')).body['running'] === true;

  it('I2: two gateways place one order for each tick; when the one that does it ends, the other goes on', async () => {
    const gateways = [await cluster.gateway({ serviceId: 'one' }), await cluster.gateway({ serviceId: 'two' })] as const;
    expect(await start(gateways[0], '150ms')).toMatchObject({
      status: 200,
      body: { running: true, every: '150ms', changed_by: 'operator' },
    });
    await atLeast(8);
    const { body } = await gateways[1].ask('GET', '/generator');
    expect(body).toMatchObject({ running: true, last_order_id: expect.any(String), holder: expect.stringMatching(/^(one|two)$/) });
    const placedByFirst = body['placed'] as number;
    expect(placedByFirst).toBeGreaterThanOrEqual(7);
    expect(Date.parse(body['next_at'] as string)).toBeGreaterThan(Date.parse(body['started_at'] as string));
    const [holder, other] = body['holder'] === 'one' ? gateways : [gateways[1], gateways[0]];
    await holder.app.close();
    const before = (await generated()).length;
    await atLeast(before + 8);
    expect((await other.ask('GET', '/generator')).body['holder']).not.toBe(body['holder']);
    await other.ask('POST', '/generator/stop', { body: {} });
    const stopped = (await other.ask('GET', '/generator')).body;
    expect(stopped['placed']).toBeGreaterThan(placedByFirst);
    expect(stopped).not.toHaveProperty('next_at');
    const rows = await generated();
    expect(new Set(rows.map(({ order_id }) => order_id)).size).toBe(rows.length);
    const ticks = ticksOf(rows);
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('stops, starts again at another pace, and survives its gateway', async () => {
    const first = await cluster.gateway();
    expect((await first.ask('GET', '/generator')).body).toEqual({ running: false });
    await start(first, '100ms');
    await atLeast(3);
    expect((await first.ask('POST', '/generator/stop', { body: {} })).body).toMatchObject({ running: false, every: '100ms' });
    const stopped = (await generated()).length;
    const second = await cluster.gateway();
    await waitUntil('the other to know', async () => !(await isRunning(second)));
    expect((await generated()).length).toBeLessThanOrEqual(stopped + 1);
    await start(second, '120ms');
    await atLeast(stopped + 4);
    await second.app.close();
    const third = await cluster.gateway();
    expect((await third.ask('GET', '/generator')).body).toMatchObject({ running: true, every: '120ms' });
    const before = (await generated()).length;
    await atLeast(before + 3);
    const audit = (await third.ask('GET', '/audit')).body['entries'] as { action: string; target: string }[];
    expect(audit.map(({ action, target }) => `${action} ${target}`)).toEqual([
      'generator.start 120ms',
      'generator.stop generator',
      'generator.start 100ms',
    ]);
  });

  it('goes on while a warehouse is away, and that one learns of it when it is back', async () => {
    const gateway = await cluster.gateway();
    cluster.of('HCM').way.cut();
    await gateway.until('HCM', 'unavailable');
    await start(gateway, '100ms');
    await atLeast(4);
    cluster.of('HCM').way.restore();
    await gateway.until('HCM', 'OK');
    expect((await cluster.of('HCM').store.peers.readPulse()).settings).toMatchObject([{ name: 'generator', value: { running: true } }]);
    const before = (await generated()).length;
    await atLeast(before + 4);
    const ticks = ticksOf(await generated());
    expect(new Set(ticks).size).toBe(ticks.length);
  });

  it('the old links start and stop it without a token on a development start, not from other sites; a wrong pace is refused', async () => {
    const gateway = await cluster.gateway();
    const link = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${gateway.url}${path}`, { headers });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    expect(await link('/start_orders', { 'sec-fetch-site': 'cross-site' })).toMatchObject({
      status: 403,
      body: { code: 'cross-site-request' },
    });
    expect(await link('/start_orders')).toMatchObject({ status: 200, body: { running: true, every: '2s', changed_by: 'development' } });
    expect(await link('/stop_orders')).toMatchObject({ status: 200, body: { running: false } });
    expect(await link('/stop_order')).toMatchObject({ status: 200, body: { running: false } });
    expect(await link('/start_orders', { authorization: 'user' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    for (const every of ['1ms', 'soon', '2d', ''])
      expect(await start(gateway, every)).toMatchObject({ status: 400, body: { errors: [{ field: '/every' }] } });
    const strict = await cluster.gateway({ developmentTokens: false });
    expect((await fetch(`${strict.url}/start_orders`)).status).toBe(401);
  });
});
