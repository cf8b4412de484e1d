import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '#engine/store.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

describe('a warehouse that is away', () => {
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.open('HCM', 'HN', 'DN');
  });
  afterEach(() => cluster.close());

  /** A token in these warehouses only. */
  const createToken = async (role: Role, ...names: string[]): Promise<string> => {
    const [token, tokenId] = [`cvy_${randomBytes(32).toString('base64url')}`, randomUUID()];
    const hash = createHash('sha256').update(token).digest();
    for (const name of names) await cluster.of(name).store.tokens.create({ tokenId, hash, name: `${role}-1`, role });
    return token;
  };

  it('its orders answer 503 naming it, not 404; lists say that it is missing; the others go on; it comes back by itself', async () => {
    await cluster.nodes();
    const gateway = await cluster.gateway();
    const [there, here] = [(await gateway.submit({ region: 'HN' })).body, (await gateway.submit({ region: 'DN' })).body];
    cluster.of('HN').way.cut();
    await gateway.until('HN', 'unavailable');
    for (const path of ['', '/events']) {
      const answer = await gateway.ask('GET', `/orders/${there.order_id}${path}`, { token: 'user' });
      expect(answer).toMatchObject({
        status: 503,
        body: { code: 'warehouse-unavailable', detail: expect.stringContaining('warehouse HN is away') },
      });
    }
    expect(await gateway.ask('POST', `/orders/${there.order_id}/cancel`, { body: {} })).toMatchObject({ status: 503 });
    expect((await gateway.ask('GET', `/orders/${here.order_id}`)).status).toBe(200);
    const list = await gateway.ask('GET', '/orders');
    expect(list).toMatchObject({ status: 200, body: { missing_warehouses: ['HN'] } });
    expect((list.body['orders'] as { order_id: string }[]).map(({ order_id }) => order_id)).toContain(here.order_id);
    expect((await gateway.ask('GET', '/orders?warehouse=HN')).status).toBe(503);
    expect((await gateway.ask('GET', '/audit')).body).toMatchObject({ missing_warehouses: ['HN'] });
    expect((await gateway.ask('GET', '/health')).body).toMatchObject({ status: 'degraded' });
    expect((await gateway.ask('GET', '/diagnostic/cluster')).body['warehouses']).toMatchObject([
      {},
      { name: 'HN', status: 'unavailable' },
      {},
    ]);
    cluster.of('HN').way.restore();
    await gateway.until('HN', 'OK');
    await waitUntil(
      'its order to complete',
      async () => (await gateway.ask('GET', `/orders/${there.order_id}`)).body['status'] === 'completed',
    );
    // Its node may have begun a new session: until the gateway sees that one, new orders fall back.
    await waitUntil('new orders to stay at home', async () => {
      const { body } = await gateway.submit({ region: 'HN' });
      return body['warehouse'] === 'HN' && (body['routed_because'] as { code: string }).code === 'home';
    });
    expect((await gateway.ask('GET', '/orders')).body['missing_warehouses']).toBeUndefined();
  });

  it('one that hangs holds nobody up: what waits for it is refused, the others answer meanwhile', async () => {
    await cluster.nodes();
    const gateway = await cluster.gateway();
    const there = (await gateway.submit({ region: 'HN' })).body;
    cluster.of('HN').way.hang();
    const waiting = Promise.all([
      gateway.ask('GET', `/orders/${there.order_id}`),
      gateway.ask('GET', '/orders'),
      gateway.submit({ region: 'HN' }),
      gateway.submit({ region: 'HN' }, randomUUID()),
    ]);
    const others = await Promise.all(
      Array.from({ length: 50 }, (_, n) => gateway.submit({ region: n % 2 ? 'HCM' : 'DN' }, n % 3 ? randomUUID() : undefined)),
    );
    expect(others.map(({ status }) => status)).toEqual(others.map(() => 202));
    const [read, list, plain, keyed] = await waiting;
    expect(read).toMatchObject({
      status: 503,
      body: { detail: expect.stringMatching(/^warehouse HN went away \(no answer within \d+ ms\); the outcome is open$/) },
    });
    expect(list).toMatchObject({ status: 200, body: { missing_warehouses: ['HN'] } });
    for (const answer of [plain, keyed]) expect(answer).toMatchObject({ status: 503, body: { code: 'warehouse-unavailable' } });
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ routed_because: { code: 'fallback' } });
    cluster.of('HN').way.restore();
    await gateway.until('HN', 'OK');
  });

  it.each(['HCM', 'HN', 'DN'])(
    'with %s away, sign-in and administration work; it learns of what was changed when it is back',
    async (away) => {
      await cluster.nodes();
      const all = ['HCM', 'HN', 'DN'];
      const others = all.filter((name) => name !== away);
      const operator = await createToken('operator', ...all);
      const customer = await createToken('customer', ...all);
      const gateway = await cluster.gateway({ developmentTokens: false });
      cluster.of(away).way.cut();
      await gateway.until(away, 'unavailable');
      expect((await gateway.ask('POST', '/orders', { token: customer, body: {} })).status).toBe(202);
      expect((await gateway.ask('GET', '/orders', { token: customer })).status).toBe(200);
      expect((await gateway.ask('GET', '/warehouses', { token: operator })).status).toBe(200);
      const flagged = others[0] as string;
      expect(await gateway.ask('POST', `/warehouses/${flagged}/disable`, { token: operator, body: {} })).toMatchObject({
        status: 200,
        body: { status: 'disabled' },
      });
      // A token is made, another revoked, where that is possible.
      const late = await createToken('customer', ...others);
      expect((await gateway.ask('GET', '/orders', { token: late })).status).toBe(200);
      for (const name of others) await cluster.of(name).store.tokens.revoke('customer-1');
      expect((await cluster.of(away).store.tokens.list()).filter(({ name }) => name === 'customer-1')).toMatchObject([{ revokedAt: null }]);
      cluster.of(away).way.restore();
      await gateway.until(away, 'OK');
      const tokens = (await cluster.of(away).store.tokens.list()).filter(({ name }) => name === 'customer-1');
      expect(tokens.map(({ revokedAt }) => revokedAt === null)).toEqual([false, false]);
      expect((await cluster.of(away).store.peers.readPulse()).flags).toMatchObject([{ name: flagged, disabled: true }]);
    },
  );

  it('a gateway starts while databases are away, and takes them in when they come', async () => {
    await cluster.nodes();
    let ready = false;
    const gateway = await cluster.gateway({
      readiness: (store) => (store.warehouse.name === 'HN' && !ready ? 'its database was not migrated yet' : undefined),
    });
    expect(await gateway.statusOf('HN')).toBe('unavailable');
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({
      routed_because: { code: 'fallback', message: expect.stringMatching(/^HN is down/) },
    });
    const health = (await gateway.ask('GET', '/health')).body['warehouses'] as { name: string; because?: string }[];
    expect(health.find(({ name }) => name === 'HN')?.because).toBe('its database was not migrated yet');
    ready = true;
    await gateway.until('HN', 'OK');
    expect((await gateway.submit({ region: 'HN' })).body).toMatchObject({ warehouse: 'HN' });
  });

  it('a gateway that knows fewer warehouses takes none away from the others; one that is gone for good is forgotten by hand', async () => {
    await cluster.nodes();
    const full = await cluster.gateway();
    const peersOf = (name: string): Promise<string[]> => cluster.of(name).store.peers.addPeers([]);
    expect(await peersOf('HCM')).toEqual(['DN', 'HN']);
    const short = await cluster.gateway({}, [cluster.of('HCM'), cluster.of('HN')]);
    expect(await peersOf('HCM')).toEqual(['DN', 'HN']);
    const forget = (gateway: TestGateway, name: string) => gateway.ask('POST', `/warehouses/${name}/forget`, { body: { reason: 'sold' } });
    expect(await forget(full, 'DN')).toMatchObject({ status: 400, body: { detail: expect.stringContaining('take it out of the list') } });
    expect(await forget(short, 'DN')).toMatchObject({ status: 200, body: { forgotten_by: ['HCM', 'HN'] } });
    expect(await peersOf('HCM')).toEqual(['HN']);
    expect(await forget(short, 'DN')).toMatchObject({ status: 404 });
    const entries = (await short.ask('GET', '/audit')).body['entries'] as object[];
    expect(entries).toMatchObject([{ action: 'warehouse.forget', target: 'DN', reason: 'sold' }]);
  });

  it('after it hung it is counted anew: no phantom backlog keeps its orders away', async () => {
    await cluster.nodes();
    const gateway = await cluster.gateway();
    cluster.of('HN').way.hang();
    await Promise.all(Array.from({ length: 20 }, () => gateway.submit({ region: 'HN' }, randomUUID())));
    await gateway.until('HN', 'unavailable');
    cluster.of('HN').way.restore();
    await gateway.until('HN', 'OK');
    await waitUntil('it to be counted again', async () => {
      const { body } = await gateway.ask('GET', '/warehouses');
      const found = (body['warehouses'] as { name: string; load?: number; orders?: object }[]).find(({ name }) => name === 'HN');
      return found?.load === 0 && found.orders !== undefined;
    });
  });
});
