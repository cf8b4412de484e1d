import { createHash, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConveyorError } from '#domain/errors.ts';
import type { Role, Store } from '#engine/store.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';

interface Answer {
  status: number;
  headers: Headers;
  body: Record<string, unknown> & { order_id: string; orders: { order_id: string }[]; next_cursor?: string };
}

const USER = { authorization: 'user' };

describe('the gateway', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openTestGateway();
  });
  afterAll(() => gateway.close());

  const ask = async (method: string, path: string, headers: Record<string, string> = USER, body?: string): Promise<Answer> => {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await fetch(gateway.url + path, { method, headers: { ...type, ...headers }, ...(body === undefined ? {} : { body }) });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text.startsWith('{') ? JSON.parse(text) : {} };
  };
  const submit = (body: object, headers: Record<string, string> = USER): Promise<Answer> =>
    ask('POST', '/orders', headers, JSON.stringify(body));
  const createToken = async (name: string, role: Role): Promise<{ authorization: string; tokenId: string }> => {
    const [token, tokenId] = [randomUUID(), randomUUID()];
    await gateway.store.tokens.create({ tokenId, hash: createHash('sha256').update(token).digest(), name, role });
    return { authorization: `Bearer ${token}`, tokenId };
  };

  it("accepts the old clients' line as it is: a bare token, and JSON that calls itself a form", async () => {
    const answer = await ask('POST', '/orders', { ...USER, 'content-type': 'application/x-www-form-urlencoded' }, '{}');
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ status: 'queued', current_step: 'Scheduling', warehouse: 'HCM' });
    expect(answer.headers.get('location')).toBe(`/orders/${answer.body.order_id}`);
    expect(answer.body['start_time']).toMatch(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
  });

  it('accepts no body at all', async () => {
    expect((await ask('POST', '/orders')).status).toBe(202);
  });

  it.each(['Idempotency-Key', 'tracking_id', 'order_id'])(
    'I2: the same %s sent 100 times at once is one order; another body is 422',
    async (name) => {
      const key = randomUUID();
      const send = (quantity: number): Promise<Answer> =>
        name === 'Idempotency-Key' ? submit({ quantity }, { ...USER, [name]: key }) : submit({ quantity, [name]: key });
      const answers = await Promise.all(Array.from({ length: 100 }, () => send(3)));
      expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(99);
      expect(new Set(answers.map(({ body }) => body.order_id)).size).toBe(1);
      expect(await send(4)).toMatchObject({ status: 422, body: { code: 'idempotency-mismatch' } });
      const { rows } = await gateway.client.query('select count(*)::int as count from order_keys where key = $1', [key]);
      expect(rows).toEqual([{ count: 1 }]);
    },
  );

  it('refuses keys that disagree, and keeps customers apart', async () => {
    const [a, b] = [randomUUID(), randomUUID()];
    const first = await submit({}, { ...USER, 'idempotency-key': a });
    await submit({ tracking_id: b });
    expect((await submit({ tracking_id: b }, { ...USER, 'idempotency-key': a })).status).toBe(422);
    const other = await submit({}, { authorization: 'operator', 'idempotency-key': a });
    expect(other.status).toBe(202);
    expect(other.body.order_id).not.toBe(first.body.order_id);
  });

  it("shows a customer its own orders only: another's answers like one that does not exist", async () => {
    const { order_id: orderId } = (await submit({ customer_name: 'mine' })).body;
    const bob = await createToken(randomUUID(), 'customer');
    const unknown = orderId.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const [method, suffix] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/cancel'],
    ] as const) {
      const [foreign, missing] = [
        await ask(method, `/orders/${orderId}${suffix}`, bob),
        await ask(method, `/orders/${unknown}${suffix}`, bob),
      ];
      expect(foreign.status).toBe(404);
      const plain = ({ body }: Answer, id: string): string => JSON.stringify({ ...body, request_id: '' }).replaceAll(id, 'ID');
      expect(plain(foreign, orderId)).toBe(plain(missing, unknown));
    }
    expect((await ask('GET', '/orders', bob)).body.orders).toEqual([]);
    expect((await ask('GET', `/orders/${orderId}`, { authorization: 'operator' })).status).toBe(200);
  });

  it('answers 401 to unknown tokens, and to a revoked one once it is not remembered any more', async () => {
    const missing = await ask('GET', '/orders', { authorization: 'Bearer nobody' });
    expect(missing.status).toBe(401);
    expect(missing.headers.get('www-authenticate')).toBe('Bearer');
    const revoked = await createToken(randomUUID(), 'operator');
    await gateway.store.tokens.revoke(revoked.tokenId);
    expect((await ask('GET', '/orders', revoked)).status).toBe(401);
  });

  it('pages through a list: each order once, newest first, and no page goes on in another list', async () => {
    const name = randomUUID();
    const ids: string[] = [];
    for (let count = 0; count < 25; count += 1)
      ids.push((await submit({ customer_name: name, ...(count % 2 ? { region: 'HCM' } : {}) })).body.order_id);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await ask('GET', `/orders?customer_name=${name}&limit=10${cursor === undefined ? '' : `&cursor=${cursor}`}`);
      expect(page.status).toBe(200);
      seen.push(...page.body.orders.map((order) => order.order_id));
      cursor = page.body.next_cursor;
      if (cursor) expect((await ask('GET', `/orders?limit=10&cursor=${cursor}`)).body).toMatchObject({ code: 'invalid-cursor' });
    } while (cursor !== undefined);
    expect(seen).toEqual(ids.toSorted().reverse());
    expect((await ask('GET', `/orders?customer_name=${name}&region=HCM`)).body.orders).toHaveLength(12);
  });

  it('streams a history, goes on after the last event seen, and ends with the order', async () => {
    const { order_id: orderId } = (await submit({})).body;
    const stream = await fetch(`${gateway.url}/orders/${orderId}/events`, { headers: { ...USER, accept: 'text/event-stream' } });
    expect(stream.headers.get('content-type')).toContain('text/event-stream');
    expect((await ask('POST', `/orders/${orderId}/cancel`, USER, '{"reason":"changed my mind"}')).status).toBe(202);
    const text = await stream.text();
    expect(text.match(/^event: .*$/gm)).toEqual(['event: accepted', 'event: cancelled']);
    const later = await fetch(`${gateway.url}/orders/${orderId}/events`, {
      headers: { ...USER, accept: 'text/event-stream', 'last-event-id': '1' },
    });
    expect((await later.text()).match(/^id: .*$/gm)).toEqual(['id: 2']);
    expect((await ask('GET', `/orders/${orderId}/events`)).body['events']).toMatchObject([
      { kind: 'accepted' },
      { kind: 'cancelled', data: { actor: 'user', reason: 'changed my mind' } },
    ]);
  });

  it('cancels an order that waits, once', async () => {
    const { order_id: orderId } = (await submit({})).body;
    const cancelled = await ask('POST', `/orders/${orderId}/cancel`);
    expect(cancelled).toMatchObject({
      status: 202,
      body: { status: 'cancelled', current_step: 'Cancelled', steps: [{ step_name: 'Cancelled' }] },
    });
    expect(await ask('POST', `/orders/${orderId}/cancel`)).toMatchObject({ status: 409, body: { code: 'order-state-conflict' } });
  });

  it('says how it is without a token', async () => {
    expect((await ask('GET', '/health', {})).body).toMatchObject({
      status: 'degraded',
      warehouses: [{ name: 'HCM', status: 'no_nodes', nodes: 0 }],
    });
    expect((await ask('GET', '/readyz', {})).status).toBe(200);
    expect((await ask('GET', '/livez', {})).status).toBe(200);
    expect((await ask('GET', '/diagnostic/heartbeat', {})).body).toMatchObject({ service_name: 'conveyor', status: 'OK', version: 'test' });
  });

  it('describes every route in a valid OpenAPI 3.1 document, and shows it without anything from elsewhere', async () => {
    const document = (await ask('GET', '/openapi.json', {})).body;
    expect(await new Validator().validate(document)).toMatchObject({ valid: true });
    expect(Object.keys(document['paths'] as object).toSorted()).toEqual(
      [
        '/audit',
        '/conflicts',
        '/cal_execution_price/{id}',
        '/conflicts/{id}/resolve',
        '/events',
        '/generator',
        '/generator/start',
        '/generator/stop',
        '/diagnostic/cluster',
        '/diagnostic/heartbeat',
        '/health',
        '/livez',
        '/metrics',
        '/nodes/{id}/drain',
        '/nodes/{id}/resume',
        '/nodes/{id}/stop',
        '/order',
        '/order/{id}',
        '/order_info/{id}',
        '/orders',
        '/orders/bulk',
        '/orders/bulk/{id}',
        '/orders/bulk/{id}/stop',
        '/orders/{id}',
        '/orders/{id}/cancel',
        '/orders/{id}/events',
        '/orders/{id}/release',
        '/orders/{id}/retry',
        '/readyz',
        '/service/transfer',
        '/session',
        '/statistics',
        '/start_orders',
        '/stop_order',
        '/stop_orders',
        '/warehouses',
        '/warehouses/{name}/disable',
        '/warehouses/{name}/enable',
        '/warehouses/{name}/forget',
      ].toSorted(),
    );
    const page = await fetch(`${gateway.url}/docs/`);
    const html = await page.text();
    const scripts = [...html.matchAll(/<script[^>]+src="([^"]+)"/g)].map((match) => match[1] as string);
    expect(scripts).toHaveLength(1);
    expect((await fetch(new URL(scripts[0] as string, page.url))).status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('a gateway in trouble', () => {
  const slow = (store: Store, acceptOrders: Store['acceptOrders']): Store =>
    new Proxy(store, {
      get: (target, name) =>
        name === 'acceptOrders' ? acceptOrders : (Reflect.get(target, name).bind?.(target) ?? Reflect.get(target, name)),
    });

  it('refuses more than it can hold with 503 and Retry-After, and answers what it took', async () => {
    const inner = await openTestGateway();
    const release = Promise.withResolvers<void>();
    const store = slow(inner.store, async (orders) => {
      await release.promise;
      return inner.store.acceptOrders(orders);
    });
    const gateway = await openTestGateway({ warehouses: [store], maxWaitingOrders: 5, acceptBatch: 1 });
    const answers = Array.from({ length: 20 }, () => fetch(`${gateway.url}/orders`, { method: 'POST', headers: USER }));
    const refused = await Promise.any(
      answers.map((answer) => answer.then((settled) => (settled.status === 503 ? settled : Promise.reject(new Error('not yet'))))),
    );
    expect(refused.headers.get('retry-after')).toBe('1');
    release.resolve();
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set([202, 503]));
    const { rows } = await inner.client.query('select count(*)::int as count from orders');
    expect(rows[0]).toEqual({ count: statuses.filter((status) => status === 202).length });
    await gateway.close();
    await inner.close();
  });

  it('closes in a moment, whoever keeps connections open that were never used', async () => {
    const gateway = await openTestGateway();
    const { hostname, port } = new URL(gateway.url);
    const accepted = new Promise((resolve) => gateway.app.server.once('connection', resolve));
    const socket = connect({ host: hostname, port: Number(port) });
    const ended = new Promise((resolve) => socket.once('close', resolve));
    await accepted;
    const startedAt = performance.now();
    await gateway.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await ended;
  });

  it('answers 503 when the database does not, 500 without details when something breaks', async () => {
    const inner = await openTestGateway();
    const failWith = async (error: Error): Promise<Response> => {
      const gateway = await openTestGateway({ warehouses: [slow(inner.store, () => Promise.reject(error))] });
      const answer = await fetch(`${gateway.url}/orders`, { method: 'POST', headers: USER });
      await gateway.close();
      return answer;
    };
    const away = await failWith(new ConveyorError('warehouse-unavailable', 'the database of warehouse HCM does not answer'));
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toBe('1');
    const broken = await failWith(new Error('secret detail'));
    expect(broken.status).toBe(500);
    expect(await broken.text()).not.toContain('secret');
    await inner.close();
  });
});
