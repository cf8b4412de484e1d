import { describe, expect, it } from 'vitest';
import type { NewOrder, OrderKey } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import { newOrder, readOne } from './support.ts';

let count = 0;

/** A keyed order; its keys are used by no other test. */
function keyed(keys: OrderKey[], changes: Partial<NewOrder> = {}): NewOrder {
  return newOrder({ keys, bodyHash: Buffer.alloc(32, 1), ...changes });
}

function freshKey(kind: OrderKey['kind'] = 'header'): OrderKey {
  count += 1;
  return { kind, key: `key ${count} {"\\` };
}

export function describeAccept(suite: Suite): void {
  describe('acceptOrders', () => {
    it('I1, I4: stores an order with its accepted event as version 1', async () => {
      const order = newOrder({ content: { customer_name: 'Ann', quantity: 3 } });
      const [verdict] = await suite.store.acceptOrders([order]);
      const record = await readOne(suite.second, order.orderId);
      expect(verdict).toEqual({ outcome: 'created', orderId: order.orderId, acceptedAt: record.order.acceptedAt });
      expect(record.order).toMatchObject({
        ...{ orderId: order.orderId, customerId: 'user', workflow: 'order', workflowVersion: 1, content: order.content },
        ...{ state: 'queued', direction: 'forward', step: 1, ownerSession: null, fence: 0, version: 1, retries: 0 },
        ...{ endedAt: null, requested: null, nextRunAt: record.order.acceptedAt },
      });
      expect(record.events).toEqual([
        {
          ...{ orderId: order.orderId, version: 1, kind: 'accepted', step: 1, direction: 'forward' },
          ...{ sessionId: null, fence: 0, at: record.order.acceptedAt, data: null },
        },
      ]);
    });

    it('I2: a key that exists answers with its order', async () => {
      const key = freshKey();
      const first = keyed([key]);
      const [created] = await suite.store.acceptOrders([first]);
      const again = keyed([key]);
      const [existing] = await suite.second.acceptOrders([again]);
      expect(existing).toEqual({ ...created, outcome: 'existing' });
      expect(await suite.store.readOrders([again.orderId])).toEqual([undefined]);
    });

    it('I2: refuses another body under a key', async () => {
      const key = freshKey('tracking');
      await suite.store.acceptOrders([keyed([key])]);
      const other = keyed([key], { bodyHash: Buffer.alloc(32, 2) });
      expect(await suite.store.acceptOrders([other])).toEqual([{ outcome: 'other_body', key }]);
      expect(await suite.store.readOrders([other.orderId])).toEqual([undefined]);
    });

    it('I2: several keys name the same order', async () => {
      const keys = [freshKey('header'), freshKey('tracking'), freshKey('client')];
      const [created] = await suite.store.acceptOrders([keyed(keys)]);
      for (const key of keys) expect(await suite.store.acceptOrders([keyed([key])])).toEqual([{ ...created, outcome: 'existing' }]);
      expect(await suite.store.acceptOrders([keyed([...keys].reverse())])).toEqual([{ ...created, outcome: 'existing' }]);
    });

    it('I2: the same text as a key of another kind is another key', async () => {
      const { key } = freshKey();
      const verdicts = await suite.store.acceptOrders([keyed([{ kind: 'header', key }]), keyed([{ kind: 'client', key }])]);
      expect(verdicts.map(({ outcome }) => outcome)).toEqual(['created', 'created']);
    });

    it('I2: two keys of two orders disagree, and nothing is stored', async () => {
      const [one, two] = [freshKey('header'), freshKey('tracking')];
      await suite.store.acceptOrders([keyed([one]), keyed([two])]);
      const both = keyed([one, two]);
      expect(await suite.store.acceptOrders([both])).toEqual([{ outcome: 'keys_disagree', key: two }]);
      expect(await suite.store.readOrders([both.orderId])).toEqual([undefined]);
    });

    it('I2: a request that met one known key leaves its other key free', async () => {
      const [known, free] = [freshKey('header'), freshKey('tracking')];
      const [created] = await suite.store.acceptOrders([keyed([known])]);
      expect(await suite.store.acceptOrders([keyed([known, free])])).toEqual([{ ...created, outcome: 'existing' }]);
      const [fresh] = await suite.store.acceptOrders([keyed([free])]);
      expect(fresh?.outcome).toBe('created');
    });

    it('I2: one key sent a hundred times at once over two stores makes one order', async () => {
      const key = freshKey();
      const sent = Array.from({ length: 100 }, () => keyed([key]));
      const verdicts = (
        await Promise.all(sent.map((order, index) => (index % 2 === 0 ? suite.store : suite.second).acceptOrders([order])))
      ).flat();
      const created = verdicts.filter(({ outcome }) => outcome === 'created');
      expect(created).toHaveLength(1);
      expect(new Set(verdicts.map((verdict) => ('orderId' in verdict ? verdict.orderId : verdict.outcome))).size).toBe(1);
      const stored = await suite.store.readOrders(sent.map(({ orderId }) => orderId));
      expect(stored.filter((record) => record !== undefined)).toHaveLength(1);
    });

    it('I2: one key twice in a batch makes one order', async () => {
      const key = freshKey();
      const [first, second] = [keyed([key]), keyed([key])];
      const verdicts = await suite.store.acceptOrders([first, newOrder(), second]);
      const outcomes = verdicts.map(({ outcome }) => outcome).sort();
      expect(outcomes).toEqual(['created', 'created', 'existing']);
      expect(verdicts[2]).toMatchObject({ orderId: (verdicts[0] as { orderId: string }).orderId });
    });

    it('I2: a key belongs to its customer', async () => {
      const key = freshKey();
      const verdicts = await suite.store.acceptOrders([keyed([key]), keyed([key], { customerId: 'someone "else"' })]);
      expect(verdicts.map(({ outcome }) => outcome)).toEqual(['created', 'created']);
    });

    it('answers in the order of the batch', async () => {
      const orders = Array.from({ length: 300 }, (_, index) => (index % 3 === 0 ? keyed([freshKey()]) : newOrder()));
      const verdicts = await suite.store.acceptOrders(orders);
      expect(verdicts.map((verdict) => 'orderId' in verdict && verdict.orderId)).toEqual(orders.map(({ orderId }) => orderId));
    });

    it('an order of a workflow that was not registered is refused and says so', async () => {
      const order = newOrder({ workflow: 'nobody-knows' });
      await expect(suite.store.acceptOrders([order])).rejects.toThrow(/nobody-knows version 1 was not registered/);
      expect(await suite.store.readOrders([order.orderId])).toEqual([undefined]);
    });

    it.each([
      ['quotes and braces', `'"{}()[],;--/*\\\\ \\" NULL`],
      ['line ends and tabs', 'a\r\nb\tc\u2028d\u0001'],
      ['other scripts and emoji', 'Đặng Thị Hồng 👩‍👩‍👧 العربية \u202e\ufeff'],
      ['placeholders', '$1 %s {x} :name ?'],
    ])('gives hostile texts back unchanged: %s', async (_what, text) => {
      const content = {
        customer_name: text,
        region: text,
        detail: text.repeat(100),
        metadata: { [text]: [text, null, 1.5, { [text]: true }] },
      };
      const order = keyed([{ kind: 'client', key: text }], { customerId: `c ${text}`, content });
      expect((await suite.store.acceptOrders([order]))[0]?.outcome).toBe('created');
      const { order: stored } = await readOne(suite.store, order.orderId);
      expect(stored).toMatchObject({ content, customerId: `c ${text}` });
      expect((await suite.store.acceptOrders([{ ...order, orderId: newOrder().orderId }]))[0]?.outcome).toBe('existing');
      const listed = await suite.store.listOrders({ customerId: `c ${text}`, customerName: text, region: text, limit: 5 });
      expect(listed.map(({ order: { orderId } }) => orderId)).toEqual([order.orderId]);
    });
  });
}
