import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '#engine/clock.ts';
import type { Role, Store } from '#engine/store.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';
import { LiveClient } from '#test/live-client.ts';
import { TestCluster } from '#test/warehouses.ts';
import { acceptOne, claimOne, completeOrder, completeSteps, describeNode, TTL_MS } from '../conformance/support.ts';

const ALL_KINDS = ['accepted', 'claimed', 'step_completed', 'step_completed', 'step_completed', 'completed'];

describe('the live stream', () => {
  let gateway: TestGateway;
  let store: Store;
  const node = describeNode();
  let session: number;
  const clients: LiveClient[] = [];
  beforeAll(async () => {
    gateway = await openTestGateway();
    store = gateway.store;
    session = await store.openSession(node, TTL_MS);
  });
  afterAll(async () => {
    for (const client of clients) client.close();
    await gateway.close();
  });

  const follow = async (query = '', headers: Record<string, string> = {}): Promise<LiveClient> => {
    const client = await LiveClient.open(gateway.url, `/events${query}`, headers);
    clients.push(client);
    return client;
  };
  const ask = async (query: string, headers: Record<string, string>) => {
    const answer = await fetch(`${gateway.url}/events${query}`, { headers });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  /** Accepts an order and carries it to its end. */
  const complete = async (content: object = {}): Promise<string> => {
    const orderId = await acceptOne(store, { content });
    await completeOrder(store, session, orderId);
    return orderId;
  };

  it('tells everything that happens to all orders, each in its order, from the answer on', async () => {
    const before = await complete();
    const client = await follow();
    expect(client).toMatchObject({ status: 200 });
    expect(client.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(client.headers.get('cache-control')).toBe('no-store');
    const ids = [await acceptOne(store, { content: { customer_name: 'Ann', region: 'HCM', symbol: 'abc' } }), await complete()];
    await completeSteps(store, session, await claimOne(store, session, await acceptOne(store)), 1);
    await client.until('both orders', () => client.kindsOf(ids[1] as string).length === 6 && client.kindsOf(ids[0] as string).length === 2);
    expect(client.kindsOf(ids[1] as string)).toEqual(ALL_KINDS);
    expect(client.kindsOf(before)).toEqual([]);
    const [first] = client.messages.filter(({ data }) => data['order_id'] === ids[0]);
    expect(first).toEqual({
      id: expect.stringMatching(/^[\w-]+$/),
      event: 'order',
      data: {
        ...{ order_id: ids[0], warehouse: 'HCM', version: 1, kind: 'accepted', status: 'queued', step_name: 'Scheduling' },
        ...{ direction: 'forward', at: expect.stringMatching(/Z$/), customer_name: 'Ann', region: 'HCM', symbol: 'abc' },
      },
    });
    const told = client.messages.filter(({ data }) => data['order_id'] === ids[1]);
    expect(told.map(({ data }) => data['status'])).toEqual(['queued', ...Array(4).fill('processing'), 'completed']);
    expect(told.slice(1).map(({ data }) => data['node_id'])).toEqual(Array(5).fill(node.nodeId));
  });

  it('is filtered as the list is, by what the event tells', async () => {
    const name = randomUUID();
    const clients = await Promise.all(
      [
        `?customer_name=${name}`,
        `?customer_name=${name}&status=completed`,
        `?customer_name=${name}&step=Processing`,
        `?customer_name=${name}&node=${node.nodeId.toUpperCase()}`,
        `?customer_name=${name}&region=HN&warehouse=HCM`,
        `?customer_name=${name}&region=DN`,
      ].map((query) => follow(query)),
    );
    await complete({ customer_name: 'another', region: 'HN' });
    const orderId = await complete({ customer_name: name, region: 'HN' });
    const [all] = clients as [LiveClient];
    await all.until('the end of the order', (messages) => messages.length === 6);
    await (clients[4] as LiveClient).until('the same', (messages) => messages.length === 6);
    expect(clients.map((client) => client.kindsOf(orderId))).toEqual([
      ALL_KINDS,
      ['completed'],
      ['step_completed'],
      ALL_KINDS.slice(1),
      ALL_KINDS,
      [],
    ]);
  });

  it('I13: goes on after the last message, without loss or repetition, at another gateway too', async () => {
    const name = randomUUID();
    const seen: unknown[] = [];
    let id = '';
    const first = await follow(`?customer_name=${name}`);
    const expected: unknown[] = [];
    for (let round = 0; round < 8; round += 1) {
      const client = round === 0 ? first : await follow(`?customer_name=${name}`, { 'last-event-id': id });
      const orderId = await complete({ customer_name: name });
      expected.push(...ALL_KINDS.map((_, index) => `${orderId}:${index + 1}`));
      // It may go at any moment; what it has not read comes again.
      await client.until('something new', (messages) => messages.length > round % 4);
      seen.push(...client.messages.map(({ data }) => `${data['order_id']}:${data['version']}`));
      id = client.lastId;
      client.close();
      await complete({ customer_name: 'another' });
    }
    const last = await follow(`?customer_name=${name}`, { 'last-event-id': id });
    await last.until('the rest', (messages) => seen.length + messages.length >= expected.length);
    await complete({ customer_name: name });
    await last.until('the end of one more', (messages) => messages.at(-1)?.data['kind'] === 'completed');
    seen.push(...last.messages.map(({ data }) => `${data['order_id']}:${data['version']}`));
    expect(seen.slice(0, expected.length)).toEqual(expected);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('fills what lies between from a place of its own; whoever stands elsewhere is told nothing twice', async () => {
    const steady = await follow();
    const begin = steady.lastId;
    const ids = await Promise.all(Array.from({ length: 200 }, () => acceptOne(store)));
    await steady.until('all', () => ids.every((id) => steady.kindsOf(id).length === 1));
    const middle = steady.messages.find(({ data }) => data['order_id'] === ids[100])?.id as string;
    const [late, later] = [await follow('', { 'last-event-id': begin }), await follow('', { 'last-event-id': middle })];
    await complete();
    const versions = ({ messages }: LiveClient) => messages.map(({ data }) => `${data['order_id']}:${data['version']}`);
    for (const client of [steady, late, later]) await client.until('the last', (messages) => messages.at(-1)?.data['kind'] === 'completed');
    const behind = (last: string) => versions(steady).slice(steady.messages.findIndex(({ id }) => id === last) + 1);
    expect(versions(late)).toEqual(behind(begin));
    expect(versions(later)).toEqual(behind(middle));
    for (const client of [late, later]) expect(client.messages.at(-1)?.id).toBe(steady.messages.at(-1)?.id);
  });

  it('says so where the last message is too long ago, and goes on from now', async () => {
    const steady = await follow();
    const orderId = await complete();
    await steady.until('the order', () => steady.kindsOf(orderId).length === 6);
    const old = Buffer.from(JSON.stringify({ HCM: [(Date.now() - 6 * 60_000) * 1_000] })).toString('base64url');
    const client = await follow('', { 'last-event-id': old });
    await client.until('the gap', (messages) => messages.length === 1);
    expect(client.messages).toMatchObject([{ event: 'gap', data: { reason: 'too_old' } }]);
    const next = await complete();
    await client.until('what comes', () => client.kindsOf(next).length === 6);
    expect(client.kindsOf(orderId)).toEqual([]);
    const fresh = await follow('', { 'last-event-id': Buffer.from('{"ELSEWHERE":[1]}').toString('base64url') });
    await complete();
    await fresh.until('what comes', (messages) => messages.length >= 6);
    expect(fresh.messages.filter(({ event }) => event === 'gap')).toEqual([]);
  });

  it('begins before what a transaction that is open is about to tell', async () => {
    const { client } = gateway;
    await client.query(`set application_name = 'conveyor test'`);
    await client.query('begin');
    const { rows } = await client.query<{ at: string }>('select transaction_timestamp()::text as at');
    const { at } = await store.outbox.readNow();
    await client.query('rollback');
    await client.query('reset application_name');
    expect(at).toBe(rows[0]?.at);
  });

  it('is for operators, and refuses what it does not understand', async () => {
    const operator = { authorization: 'operator' };
    expect(await ask('', { authorization: 'user' })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect(await ask('', {})).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
    for (const [query, headers, detail] of [
      ['?limit=5', {}, 'limit is not a known field'],
      ['?status=done', {}, 'status'],
      ['?node=x', {}, 'node'],
      [`?node=${'-'.repeat(36)}`, {}, 'the id of a node is expected'],
      ['?warehouse=NOWHERE', {}, 'known: HCM'],
      ['?step=%00', {}, 'step'],
      ['', { 'last-event-id': 'x' }, 'Last-Event-ID'],
      ['', { 'last-event-id': '5' }, 'Last-Event-ID'],
    ] as const) {
      const answer = await ask(query, { ...operator, ...headers });
      expect({ query, ...answer }).toMatchObject({
        query,
        status: 400,
        body: { code: 'invalid-request', detail: expect.stringContaining(detail) },
      });
    }
  });

  it('can be followed with the cookie of the console', async () => {
    const signedIn = await fetch(`${gateway.url}/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"token":"operator"}',
    });
    const aborter = new AbortController();
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] as string;
    const answer = await fetch(`${gateway.url}/events`, { headers: { cookie, 'sec-fetch-site': 'same-origin' }, signal: aborter.signal });
    expect(answer.status).toBe(200);
    aborter.abort();
    expect(await ask('', { cookie, 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403, body: { code: 'cross-site-request' } });
  });
});

describe('the live stream of several warehouses', () => {
  it('tells of all, goes on through an outage, ends with its gateway, and goes on at another', async () => {
    const cluster = await TestCluster.open('HCM', 'HN');
    try {
      const [one, two] = [await cluster.gatewayWithNodes(), await cluster.gateway()];
      const client = await LiveClient.open(one.url);
      const onlyHn = await LiveClient.open(one.url, '/events?warehouse=HN');
      const [hcm, hn] = [(await one.submit({ region: 'HCM' })).body, (await one.submit({ region: 'HN' })).body];
      const hasAll = (follower: LiveClient, id: string): boolean => follower.kindsOf(id).length === 6;
      await client.until('both orders to complete', () => hasAll(client, hcm.order_id) && hasAll(client, hn.order_id));
      await onlyHn.until('its order to complete', () => hasAll(onlyHn, hn.order_id));
      expect(onlyHn.messages).toHaveLength(6);

      cluster.of('HN').way.cut();
      const during = (await one.submit({ region: 'HCM' })).body;
      await client.until('the order of the other warehouse to complete', () => hasAll(client, during.order_id));
      const missed = await acceptOne(cluster.of('HN').store);
      cluster.of('HN').way.restore();
      await client.until('what happened meanwhile', () => client.kindsOf(missed).includes('accepted'));

      await one.app.close();
      await client.until('its end', () => client.isEnded && onlyHn.isEnded);
      const between = (await two.submit({ region: 'HCM' })).body;
      const again = await LiveClient.open(two.url, '/events', { 'last-event-id': client.lastId });
      const after = (await two.submit({ region: 'HN' })).body;
      await again.until('what came after', () => hasAll(again, between.order_id) && hasAll(again, after.order_id));
      const told = [...client.messages, ...again.messages].map(({ data }) => `${data['order_id']}:${data['version']}`);
      expect(new Set(told).size).toBe(told.length);
      again.close();
    } finally {
      await cluster.close();
    }
  });

  it('ends for a token that was revoked', async () => {
    // It looks every 15 seconds; here sooner.
    const after: Clock['after'] = (delayMs, call) => systemClock.after(delayMs === 15_000 ? 300 : delayMs, call);
    const gateway = await openTestGateway({ clock: { ...systemClock, after } });
    const [token, tokenId] = [randomUUID(), randomUUID()];
    const hash = createHash('sha256').update(token).digest();
    await gateway.store.tokens.create({ tokenId, hash, name: 'ops', role: 'operator' satisfies Role });
    const [client, other] = [
      await LiveClient.open(gateway.url, '/events', { authorization: token }),
      await LiveClient.open(gateway.url, '/events'),
    ];
    await gateway.store.tokens.revoke(tokenId);
    await client.until('its end', () => client.isEnded);
    expect(other.isEnded).toBe(false);
    other.close();
    await gateway.close();
  });
});
