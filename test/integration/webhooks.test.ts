import { randomUUID } from 'node:crypto';
import type { lookup } from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';
import { findUrlFault } from '../../src/webhooks/addresses.ts';
import { openWebhooks, type WebhooksOptions } from '../../src/webhooks/open.ts';

interface Received {
  headers: IncomingMessage['headers'];
  body: string;
  path: string;
}

type Reply = (request: Received, response: ServerResponse) => void;

describe('webhooks', () => {
  let cluster: TestCluster;
  let gateway: TestGateway;
  let received: Received[];
  let reply: Reply;
  let receiver: Server;
  let target: string;
  const closers: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    received = [];
    reply = (_request, response) => response.writeHead(204).end();
    receiver = createServer(async (incoming, outgoing) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      const request = { headers: incoming.headers, body, path: incoming.url ?? '' };
      received.push(request);
      reply(request, outgoing);
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    target = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    cluster = await TestCluster.open('HCM', 'HN');
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    await cluster.close();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });

  async function start(options: Partial<WebhooksOptions> = {}): Promise<void> {
    const allowInner = options.allowInner ?? true;
    gateway = await cluster.gatewayWithNodes({ webhookUrlFault: (url) => findUrlFault(url, allowInner) });
    const stores = await Promise.all(cluster.warehouses.map((warehouse) => warehouse.open()));
    const { services } = gateway.app;
    const dispatching = openWebhooks({
      ...{ stores, holder: randomUUID(), clock: systemClock, log: silentLog, version: 'test', allowInner },
      disable: (webhook, because) => services.disableWebhook(webhook, because),
      ...options,
    });
    closers.push(() => dispatching.close());
  }
  const register = async (body: object = {}): Promise<{ id: string; secret: string }> => {
    const { status, body: made } = await gateway.ask('POST', '/webhooks', { token: 'user', body: { url: target, ...body } });
    expect({ status, made }).toMatchObject({ status: 201 });
    return made as unknown as { id: string; secret: string };
  };
  const deliveriesOf = async (id: string): Promise<Record<string, unknown>[]> =>
    (await gateway.ask('GET', `/webhooks/${id}/deliveries`, { token: 'user' })).body['deliveries'] as Record<string, unknown>[];
  const typesOf = (): string[] => received.map(({ body }) => (JSON.parse(body) as { type: string }).type);

  it('are signed as Standard Webhooks says, for the customer’s own orders of every warehouse, and logged', async () => {
    await start();
    const { id, secret } = await register();
    const [one, two] = [(await gateway.submit({ region: 'HCM', order_id: 'own-1' })).body, (await gateway.submit({ region: 'HN' })).body];
    await gateway.ask('POST', '/orders', { token: 'operator', body: {} });
    await waitUntil('both to be told', () => received.length >= 2);
    for (const { headers, body } of received) {
      const verified = new StandardWebhook(secret).verify(body, headers as Record<string, string>) as { data: { order_id: string } };
      expect([one.order_id, two.order_id]).toContain(verified.data.order_id);
      expect(() => new StandardWebhook(secret).verify(body.replace('order', 'Order'), headers as Record<string, string>)).toThrow(
        /signature/,
      );
    }
    const told = received
      .map(({ body }) => JSON.parse(body) as { type: string; data: object })
      .find(({ data }) => JSON.stringify(data).includes('own-1'));
    expect(told).toMatchObject({
      type: 'order.completed',
      timestamp: expect.any(String),
      data: { order_id: one.order_id, client_order_id: 'own-1', warehouse: 'HCM' },
    });
    await waitUntil('the log to know', async () => (await deliveriesOf(id)).every(({ state }) => state === 'delivered'));
    expect(await deliveriesOf(id)).toMatchObject([{ attempts: 1, last_status: 204, type: 'order.completed' }, { attempts: 1 }]);
    expect(received).toHaveLength(2);
  });

  it('I13: an order’s events come in their order, each waits for the one before, whatever fails in between', async () => {
    await start();
    let failures = 2;
    reply = (_request, response) => {
      const fails = failures > 0;
      failures -= 1;
      response.writeHead(fails ? 500 : 200).end();
    };
    const { id } = await register({ events: ['order.accepted', 'order.claimed', 'order.step_completed', 'order.completed'] });
    await gateway.submit({ region: 'HN' });
    await waitUntil('the first to have failed', async () =>
      (await deliveriesOf(id)).some(({ attempts, last_status }) => attempts === 1 && last_status === 500),
    );
    await waitUntil('the later events to wait behind it', async () => (await deliveriesOf(id)).length === 6);
    expect((await deliveriesOf(id)).filter(({ attempts }) => attempts === 0)).toHaveLength(5);
    for (let round = 0; round < 2; round += 1) {
      const first = (await deliveriesOf(id)).at(-1) as { id: string };
      expect((await gateway.ask('POST', `/webhooks/deliveries/${first.id}/redeliver`, { token: 'user' })).status).toBe(202);
      await waitUntil('it to be tried again', async () => received.length >= round + 2);
      await waitUntil('that to be written down', async () => (await deliveriesOf(id)).at(-1)?.['attempts'] === 1);
    }
    await waitUntil('all to be delivered', async () => (await deliveriesOf(id)).every(({ state }) => state === 'delivered'));
    expect(typesOf().slice(2)).toEqual([
      'order.accepted',
      'order.claimed',
      'order.step_completed',
      'order.step_completed',
      'order.step_completed',
      'order.completed',
    ]);
    expect(new Set(received.slice(0, 3).map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  });

  it('whatever a receiver does wrong is a failed try with its reason, and costs no other receiver anything', async () => {
    const timeoutMs = 400;
    // Ended by hand: a busy machine is no slow receiver.
    const deadlines = new Set<() => void>();
    const after: Clock['after'] = (delayMs, call) => {
      if (delayMs !== timeoutMs) return systemClock.after(delayMs, call);
      deadlines.add(call);
      return { cancel: () => void deadlines.delete(call) };
    };
    await start({ timeoutMs, clock: { ...systemClock, after } });
    const endless = new Set<ServerResponse>();
    reply = ({ path }, response) => {
      if (path === '/500') response.writeHead(500).end('no');
      else if (path === '/redirect') response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' }).end();
      else if (path === '/silent') endless.add(response);
      else if (path === '/endless') {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'), 10);
        response.once('close', () => clearInterval(timer));
      } else if (path === '/huge') response.writeHead(200).end(Buffer.alloc(10 * 1024 * 1024));
      else response.writeHead(200).end();
    };
    const ids = new Map<string, string>();
    for (const path of ['/500', '/redirect', '/silent', '/endless', '/huge', '/good'])
      ids.set(path, (await register({ url: `${target}${path}` })).id);
    for (let count = 0; count < 8; count += 1) await gateway.submit({ region: count % 2 ? 'HN' : 'HCM' });
    await waitUntil('the good receiver to have all', () => received.filter(({ path }) => path === '/good').length >= 8);
    await waitUntil('all to be tried', () => [...ids.keys()].every((tried) => received.some(({ path }) => path === tried)));
    const errorOf = async (path: string): Promise<unknown> => {
      await waitUntil(`a try of ${path}`, async () => (await deliveriesOf(ids.get(path) ?? '')).some(({ attempts }) => attempts === 1));
      const tried = (await deliveriesOf(ids.get(path) ?? '')).find(({ attempts }) => attempts === 1);
      return tried?.['state'] === 'delivered' ? 'delivered' : tried?.['last_error'];
    };
    expect(await errorOf('/500')).toBe('it answered 500');
    expect(await errorOf('/redirect')).toBe('it answered 302: redirects are not followed');
    expect(await errorOf('/huge')).toBe('delivered');
    expect(await errorOf('/good')).toBe('delivered');
    for (const end of deadlines) end();
    expect(await errorOf('/silent')).toBe('it did not answer within 400 ms');
    expect(await errorOf('/endless')).toBe('delivered');
    for (const response of endless) response.destroy();
  });

  it('private, loopback and link-local addresses are refused: in the URL, by a name, and when it is tried', async () => {
    const resolve = ((host: string, _options: object, callback: (error: null, found: object[]) => void) => {
      const address = host === 'inner.example' ? '127.0.0.1' : '10.1.2.3';
      callback(
        null,
        [
          { address: '93.184.216.34', family: 4 },
          { address, family: 4 },
        ].slice(host === 'inner.example' ? 1 : 0),
      );
    }) as unknown as typeof lookup;
    await start({ allowInner: false, resolve });
    for (const url of [
      target,
      'http://localhost/x',
      'http://10.0.0.1',
      'http://[::1]/',
      'http://169.254.169.254/',
      'http://2130706433/',
      'http://0x7f.1/',
      'http://[::ffff:10.0.0.1]/',
      'http://db/',
      'ftp://example.com',
      'http://u:p@example.com/',
      'nonsense',
    ])
      expect(await gateway.ask('POST', '/webhooks', { token: 'user', body: { url } })).toMatchObject({
        status: 400,
        body: { errors: [{ field: '/url' }] },
      });
    const ids = [(await register({ url: 'http://inner.example/' })).id, (await register({ url: 'http://mixed.example/' })).id];
    await gateway.submit({ region: 'HN' });
    for (const id of ids) {
      await waitUntil('a try', async () => (await deliveriesOf(id)).some(({ attempts }) => attempts === 1));
      expect((await deliveriesOf(id))[0]).toMatchObject({
        state: 'waiting',
        last_error: expect.stringContaining('is an address of a private network'),
      });
    }
    expect(received).toEqual([]);
  });

  it('are disabled by 410, told so, and enabled again; belong to their customer alone', async () => {
    await start();
    reply = (_request, response) => response.writeHead(410).end();
    const { id } = await register();
    await gateway.submit({ region: 'HN' });
    const read = async (token = 'user') => gateway.ask('GET', `/webhooks/${id}`, { token });
    await waitUntil('it to be disabled', async () => (await read()).body['enabled'] === false);
    expect((await read()).body).toMatchObject({ enabled: false, disabled_because: 'it answered 410: gone' });
    expect((await read()).body).not.toHaveProperty('secret');
    const [delivery] = await deliveriesOf(id);
    expect(delivery).toMatchObject({ state: 'given_up' });
    reply = (_request, response) => response.writeHead(200).end();
    const enabled = await gateway.ask('PATCH', `/webhooks/${id}`, { token: 'user', body: { enabled: true } });
    expect(enabled.body).toMatchObject({ enabled: true });
    expect(enabled.body).not.toHaveProperty('disabled_because');
    await waitUntil('what was given up to be delivered', async () => (await deliveriesOf(id))[0]?.['state'] === 'delivered');
    await gateway.ask('POST', `/webhooks/deliveries/${String(delivery?.['id'])}/redeliver`, { token: 'user' });
    await waitUntil('it to come again by hand', async () => received.length >= 3);
    const other = await gateway.ask('POST', '/webhooks', { token: 'operator', body: { url: target } });
    expect((await gateway.ask('GET', `/webhooks/${String(other.body['id'])}`, { token: 'user' })).status).toBe(404);
    expect((await gateway.ask('GET', '/webhooks', { token: 'operator' })).body['webhooks']).toHaveLength(2);
    expect((await gateway.ask('GET', '/webhooks', { token: 'user' })).body['webhooks']).toHaveLength(1);
    expect((await fetch(`${gateway.url}/webhooks/${id}`, { method: 'DELETE', headers: { authorization: 'user' } })).status).toBe(204);
    expect((await read()).status).toBe(404);
    expect((await gateway.ask('GET', `/webhooks/${id}/deliveries`, { token: 'user' })).status).toBe(404);
    for (const body of [{}, { url: target, events: ['order.nonsense'] }, { url: target, secret: 'mine' }, { url: target, events: [] }])
      expect((await gateway.ask('POST', '/webhooks', { token: 'user', body })).status).toBe(400);
  });

  it('what is to be delivered once more is found though another warehouse is away; in the one that is away, nobody knows', async () => {
    await start();
    const { id } = await register();
    for (const region of ['HCM', 'HN']) await gateway.submit({ region });
    let deliveries: Record<string, unknown>[] = [];
    await waitUntil('both to be told', async () => {
      deliveries = await deliveriesOf(id);
      return deliveries.length === 2 && deliveries.every(({ state }) => state === 'delivered');
    });
    const idIn = new Map(deliveries.map(({ warehouse, id: delivery }) => [warehouse, String(delivery)]));
    expect([...idIn.keys()].sort()).toEqual(['HCM', 'HN']);
    const redeliver = (delivery = '') => gateway.ask('POST', `/webhooks/deliveries/${delivery}/redeliver`, { token: 'user' });
    cluster.of('HCM').way.cut();
    expect(await redeliver(idIn.get('HN'))).toMatchObject({ status: 202, body: { warehouse: 'HN' } });
    await waitUntil('it to come again', () => received.length >= 3);
    const unknown = { status: 503, body: { detail: expect.stringContaining('HCM did not answer') } };
    expect(await redeliver(idIn.get('HCM'))).toMatchObject(unknown);
    expect(await redeliver(randomUUID())).toMatchObject(unknown);
    cluster.of('HCM').way.restore();
    await waitUntil('it to be back', async () => (await redeliver(idIn.get('HCM'))).status === 202);
    expect((await redeliver(randomUUID())).status).toBe(404);
  });

  it('a late answer changes nothing that the owner changed meanwhile, and brings nothing back', async () => {
    await start();
    const held: ServerResponse[] = [];
    reply = (_request, response) => void held.push(response);
    const [moved, deleted] = [await register({ events: ['order.accepted'] }), await register({ events: ['order.accepted'] })];
    await gateway.submit({ region: 'HN' });
    await waitUntil('both to be told', async () => held.length === 2);
    const change = { token: 'user', body: { url: `${target}/moved` } };
    expect((await gateway.ask('PATCH', `/webhooks/${moved.id}`, change)).status).toBe(200);
    const remove = () => fetch(`${gateway.url}/webhooks/${deleted.id}`, { method: 'DELETE', headers: { authorization: 'user' } });
    expect((await remove()).status).toBe(204);
    for (const response of held) response.writeHead(410).end();
    await waitUntil('the answer to be written down', async () => (await deliveriesOf(moved.id))[0]?.['state'] === 'given_up');
    // A later event has gone through, so whatever the answer did is done.
    reply = (_request, response) => response.writeHead(200).end();
    await gateway.submit({ region: 'HN' });
    await waitUntil('the new place to be told', async () => received.some(({ path }) => path === '/moved'));
    expect((await gateway.ask('GET', '/webhooks', { token: 'user' })).body['webhooks']).toEqual([
      expect.objectContaining({ id: moved.id, url: `${target}/moved`, enabled: true }),
    ]);
  });

  it('a deletion outruns a change at the same time; one whose place is not allowed any more can be disabled', async () => {
    await start();
    const { id } = await register();
    const patch = (body: object) => gateway.ask('PATCH', `/webhooks/${id}`, { token: 'user', body });
    const changes = Array.from({ length: 5 }, () => patch({ events: ['order.failed'] }));
    const deletion = fetch(`${gateway.url}/webhooks/${id}`, { method: 'DELETE', headers: { authorization: 'user' } });
    await Promise.all([...changes, deletion]);
    expect((await gateway.ask('GET', `/webhooks/${id}`, { token: 'user' })).status).toBe(404);
    const kept = await register();
    const strict = await cluster.gateway({ webhookUrlFault: (url) => findUrlFault(url, false) });
    const ask = (body: object) => strict.ask('PATCH', `/webhooks/${kept.id}`, { token: 'user', body });
    expect(await ask({ enabled: false })).toMatchObject({ status: 200, body: { enabled: false, disabled_because: 'by its owner' } });
    expect((await ask({ enabled: true })).status).toBe(400);
    const nul = await gateway.ask('POST', '/webhooks', { token: 'user', body: { url: `${target}/\u0000` } });
    expect(nul).toMatchObject({ status: 400, body: { detail: expect.stringContaining('control characters') } });
  });
});
