import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#engine/store.ts';
import { newOrder } from '#test/orders.ts';
import { waitUntil } from '#test/waiting.ts';
import { TestCluster, type TestGateway } from '#test/warehouses.ts';

interface Listed {
  orders: { order_id: string; symbol?: string; steps?: { step_name: string }[] }[];
  next_cursor?: string;
}

describe('finding orders', () => {
  let cluster: TestCluster;
  let gateway: TestGateway;
  beforeAll(async () => {
    cluster = await TestCluster.open('HCM', 'HN');
    gateway = await cluster.gateway({ routing: { defaultRegion: 'HCM' } });
  });
  afterAll(() => cluster.close());

  const list = async (query: Record<string, string>, token = 'operator'): Promise<Listed> => {
    const { status, body } = await gateway.ask('GET', `/orders?${new URLSearchParams(query)}`, { token });
    expect({ status, body }).toMatchObject({ status: 200 });
    return body as unknown as Listed;
  };
  const ids = async (query: Record<string, string>, token?: string): Promise<string[]> =>
    (await list(query, token)).orders.map((order) => order.order_id);
  const accept = async (body: object): Promise<string> => (await gateway.submit(body)).body.order_id;
  const refused = async (query: string): Promise<unknown> => {
    const { status, body } = await gateway.ask('GET', `/orders?${query}`);
    return { status, code: body['code'], detail: body['detail'], errors: body['errors'] };
  };

  it('by tracking id, symbol and the beginning of the id, over all warehouses', async () => {
    const [symbol, trackingId] = [randomUUID().slice(0, 8), `=${randomUUID()}`];
    const made = [
      await accept({ symbol, tracking_id: trackingId, region: 'HCM' }),
      await accept({ symbol, region: 'HN' }),
      await accept({ region: 'HN' }),
    ] as const;
    expect(await ids({ tracking_id: trackingId })).toEqual([made[0]]);
    expect(await ids({ tracking_id: trackingId, region: 'HN' })).toEqual([]);
    // Within a millisecond it is chance whose id is the later one; and a beginning may end between the two.
    const both = [made[0], made[1]].sort().reverse();
    expect(await ids({ symbol })).toEqual(both);
    expect(await ids({ symbol, region: 'HN', status: 'queued' })).toEqual([made[1]]);
    const [id] = made;
    for (const text of [id, id.toUpperCase(), id.replaceAll('-', ''), id.slice(0, 34), id.replaceAll('-', '').slice(0, 30)])
      expect(await ids({ id: text })).toEqual([id]);
    for (const text of [id.slice(0, 4), id.slice(0, 8), id.slice(0, 9), id.slice(0, 11)])
      expect(await ids({ id: text, symbol })).toEqual(both.filter((one) => one.startsWith(text)));
    expect(await ids({ id: `${id.slice(0, 35)}${id.endsWith('0') ? '1' : '0'}` })).toEqual([]);
  });

  it("a customer finds nobody else's", async () => {
    const symbol = randomUUID().slice(0, 8);
    const own = await accept({ symbol });
    const { body } = await gateway.ask('POST', '/orders', { token: 'operator', body: { symbol } });
    expect(await ids({ symbol }, 'user')).toEqual([own]);
    expect(await ids({ id: body.order_id }, 'user')).toEqual([]);
    expect(await ids({ symbol }, 'operator')).toEqual([body.order_id, own].sort().reverse());
  });

  it.each(['abc', '0199-f3c2', 'zzzzzzzz', '0199f3c2-8', "0199f3c2' or 1=1", '0'.repeat(33), ''])(
    'the beginning %j is refused, or looked for, but never more',
    async (text) => {
      const answer = await refused(new URLSearchParams({ id: text }).toString());
      if (text === '0199f3c2-8') expect(answer).toMatchObject({ status: 200 });
      else expect(answer).toMatchObject({ status: 400, code: 'invalid-request', errors: [{ field: 'id' }] });
    },
  );

  it.each([
    ['symbol=', 'symbol'],
    ['tracking_id=', 'tracking_id'],
    ['include=everything', 'include'],
    ['format=xml', 'format'],
    ['tracking=x', 'tracking'],
    ['format=csv&limit=10', 'limit'],
    ['format=csv&cursor=x', 'cursor'],
    ['format=csv&include=steps', 'include'],
    ['format=csv&status=new', 'status'],
  ])('%s is refused with the name of what is wrong', async (query, field) => {
    expect(await refused(query)).toMatchObject({
      status: 400,
      code: 'invalid-request',
      errors: [{ field: expect.stringContaining(field) }],
    });
  });

  it('a warehouse that does not exist is named, with those that do', async () => {
    expect(await refused('warehouse=XX')).toMatchObject({
      ...{ status: 400, code: 'invalid-request', detail: 'no warehouse is called "XX"; known: HCM, HN' },
      errors: [{ field: 'warehouse', reason: 'must be one of HCM, HN' }],
    });
  });

  it('with their steps where they are asked for, in the same pages', async () => {
    const symbol = randomUUID().slice(0, 8);
    for (let count = 0; count < 3; count += 1) await accept({ symbol });
    await gateway.ask('POST', `/orders/${await accept({ symbol })}/cancel`, { body: {} });
    const plain = await list({ symbol, limit: '2' });
    expect(plain.orders.map(({ steps }) => steps)).toEqual([undefined, undefined]);
    const page = await list({ symbol, limit: '2', include: 'steps' });
    expect(page.orders[0]).toMatchObject({ status: 'cancelled', steps: [{ step_name: 'Cancelled' }] });
    for (const order of page.orders) {
      const { body } = await gateway.ask('GET', `/orders/${order.order_id}`);
      expect(order.steps).toEqual(body['steps']);
    }
    // How an order is shown selects nothing: such a page may go on without its steps.
    const next = await list({ symbol, limit: '2', cursor: page.next_cursor as string });
    expect(next.orders).toHaveLength(2);
    expect(await refused(`symbol=other&cursor=${page.next_cursor}`)).toMatchObject({ status: 400, code: 'invalid-cursor' });
  });

  describe('as a table', () => {
    const table = (query: Record<string, string>, token = 'operator'): Promise<Response> =>
      fetch(`${gateway.url}/orders?${new URLSearchParams({ ...query, format: 'csv' })}`, { headers: { authorization: token } });

    it('holds all that match, however many pages that is, under a header', async () => {
      const symbol = randomUUID().slice(0, 8);
      const made = (
        await Promise.all(Array.from({ length: 450 }, (_, n) => accept({ symbol, region: n % 2 ? 'HN' : 'HCM', quantity: n + 1 })))
      )
        .toSorted()
        .reverse();
      const answer = await table({ symbol });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
      expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="orders-\d{4}-\d{2}-\d{2}\.csv"$/);
      const lines = (await answer.text()).split('\r\n');
      expect(lines[0]).toMatch(/^order_id,client_order_id,tracking_id,status,/);
      expect(lines.slice(1, -1).map((line) => line.slice(0, 36))).toEqual(made);
      expect(lines.at(-1)).toBe('');
      expect((await (await table({ symbol, region: 'HN' })).text()).split('\r\n')).toHaveLength(227);
      expect((await (await table({ symbol: 'nothing' })).text()).split('\r\n')).toHaveLength(2);
    });

    it('keeps what customers wrote from being a formula, and in its cell', async () => {
      const symbol = randomUUID().slice(0, 8);
      await accept({
        ...{ symbol, customer_name: '=HYPERLINK("http://evil","x")', tracking_id: `@${symbol}`, detail: 'one, "two"\r\n-three' },
        items: [{ sku: '+1', quantity: 2 }],
      });
      const text = await (await table({ symbol })).text();
      expect(text).toContain(`"'=HYPERLINK(""http://evil"",""x"")"`);
      expect(text).toContain(`,'@${symbol},`);
      expect(text).toContain('"one, ""two""\r\n-three"');
      expect(text).toContain('"[{""sku"":""+1"",""quantity"":2}]"');
    });

    it("a customer's holds its own orders", async () => {
      const symbol = randomUUID().slice(0, 8);
      await gateway.ask('POST', '/orders', { token: 'operator', body: { symbol } });
      const own = await accept({ symbol });
      const lines = (await (await table({ symbol }, 'user')).text()).split('\r\n');
      expect(lines.slice(1, -1).map((line) => line.slice(0, 36))).toEqual([own]);
      expect((await table({}, 'nobody')).status).toBe(401);
    });

    describe('of very much', () => {
      const PAGES = 20;
      let pages = 0;
      let big: TestGateway;
      beforeAll(async () => {
        const hn = cluster.of('HN');
        const content = { symbol: 'big', detail: 'x'.repeat(10_000) };
        for (let page = 0; page < PAGES; page += 1)
          await hn.store.acceptOrders(Array.from({ length: 200 }, () => newOrder({ content }, hn.store.warehouse.number)));
        const counting = countCalls(await hn.open(), 'listOrders', () => {
          pages += 1;
        });
        big = await cluster.gateway({ warehouses: [counting] });
      });

      /** A client that reads the begin and then nothing more. */
      async function begin(): Promise<IncomingMessage> {
        const asked = get(`${big.url}/orders?symbol=big&format=csv`, { headers: { authorization: 'operator' }, agent: false });
        const [answer] = (await once(asked, 'response')) as [IncomingMessage];
        await once(answer, 'readable');
        return answer;
      }

      /** How long that takes, whoever is still at it had time too. */
      async function readAll(): Promise<void> {
        const answer = await fetch(`${big.url}/orders?symbol=big&format=csv`, { headers: { authorization: 'operator' } });
        expect((await answer.text()).length).toBeGreaterThan(PAGES * 200 * 10_000);
      }

      it('is read no faster than it is taken, and no more once its reader is gone', async () => {
        pages = 0;
        const slow = await begin();
        await readAll();
        const ofSlow = pages - PAGES;
        expect(ofSlow).toBeLessThan(PAGES);
        slow.destroy();
        await readAll();
        expect(pages - 2 * PAGES).toBeLessThanOrEqual(ofSlow + 1);
      });

      it('breaks off, and does not look whole, when the gateway stops meanwhile', async () => {
        const slow = await begin();
        const closed = big.app.close();
        await expect(slow.resume().toArray()).rejects.toThrow(/aborted/);
        await closed;
      });
    });

    it('is none while a warehouse is away', async () => {
      const hn = cluster.of('HN');
      hn.way.cut();
      try {
        await waitUntil('HN to be away', async () => (await table({})).status === 503);
        const answer = await table({});
        expect(await answer.json()).toMatchObject({ code: 'warehouse-unavailable', detail: expect.stringContaining('HN') });
        expect((await table({ warehouse: 'HCM' })).status).toBe(200);
      } finally {
        hn.way.restore();
      }
    });
  });
});

function countCalls(store: Store, method: 'listOrders', onCall: () => void): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === method) onCall();
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
