import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { OrderFilter } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import {
  acceptOne,
  advanceOne,
  claimOne,
  clearQueue,
  closingOf,
  completeOrder,
  completeSteps,
  describeNode,
  moveOf,
  readOne,
  TTL_MS,
} from './support.ts';

export function describeList(suite: Suite): void {
  describe('listOrders', () => {
    let session: number;
    let customerId: string;
    const nodeId = randomUUID();
    beforeEach(async () => {
      session = await suite.store.openSession(describeNode({ nodeId }), TTL_MS);
      await clearQueue(suite.store);
      customerId = `customer ${randomUUID()}`;
    });
    const accept = (content = {}): Promise<string> => acceptOne(suite.store, { customerId, content });
    const ids = async (filter: Partial<OrderFilter> = {}): Promise<string[]> =>
      (await suite.store.listOrders({ customerId, limit: 50, ...filter })).map(({ order }) => order.orderId);

    /** One order in every state, by its status. */
    async function acceptOfEveryStatus(): Promise<Record<string, string>> {
      const made: Record<string, string> = {};
      const begin = async (name: string) => {
        made[name] = await accept();
        return claimOne(suite.store, session, made[name]);
      };
      made['completed'] = await accept();
      await completeOrder(suite.store, session, made['completed']);
      for (const [kind, state] of [
        ['failed', 'failed'],
        ['attention_needed', 'needs_attention'],
      ] as const) {
        const claimed = await begin(state);
        await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'));
        const end = closingOf(claimed, kind, state, { at: { step: 1, direction: 'rollback' } });
        await advanceOne(suite.store, session, { ...end, version: claimed.version + 2, direction: 'rollback' });
      }
      const undone = await begin('rolling_back');
      await completeSteps(suite.store, session, undone, 1);
      await advanceOne(suite.store, session, moveOf(undone, 'step_failed', { step: 2 }, 1));
      await completeSteps(suite.store, session, await begin('processing'), 2);
      made['queued'] = await accept();
      made['cancelled'] = await accept();
      await suite.store.cancelOrder({ orderId: made['cancelled'], customerId, actor: customerId, reason: undefined });
      return made;
    }

    it('gives whole records, newest first', async () => {
      const made = [await accept(), await accept(), await accept()];
      expect(await ids()).toEqual([...made].reverse());
      const [record] = await suite.store.listOrders({ customerId, limit: 1 });
      expect(record).toEqual(await readOne(suite.store, made[2] as string));
    });

    it('walks pages by the last id', async () => {
      const made: string[] = [];
      for (let count = 0; count < 7; count += 1) made.push(await accept());
      const walked: string[] = [];
      for (let page = await ids({ limit: 3 }); page.length > 0; page = await ids({ limit: 3, beforeId: walked.at(-1) as string })) {
        expect(page.length).toBeLessThanOrEqual(3);
        walked.push(...page);
      }
      expect(walked).toEqual(made.reverse());
    });

    it('filters by status, as a customer would be told it', async () => {
      const made = await acceptOfEveryStatus();
      const statuses = ['queued', 'processing', 'rolling_back', 'completed', 'failed', 'cancelled', 'needs_attention', 'held'] as const;
      for (const status of statuses)
        expect([status, await ids({ statuses: [status] })]).toEqual([status, made[status] ? [made[status]] : []]);
      await suite.store.endSessions([session], 'transfer');
      expect((await ids({ statuses: ['queued'] })).sort()).toEqual([made['queued'], made['processing']].sort());
      expect(await ids({ statuses: ['rolling_back'] })).toEqual([made['rolling_back']]);
    });

    it('filters by several statuses at once, pages and counts them', async () => {
      const made = await acceptOfEveryStatus();
      const statuses = ['queued', 'processing', 'needs_attention', 'held'] as const;
      const expected = [made['queued'], made['processing'], made['needs_attention']].sort().reverse();
      expect(await ids({ statuses })).toEqual(expected);
      expect(await ids({ statuses, limit: 2 })).toEqual(expected.slice(0, 2));
      expect(await ids({ statuses, limit: 2, beforeId: expected[1] as string })).toEqual(expected.slice(2));
      const filter = { customerId, statuses, limit: 50 };
      expect(await suite.store.listOrderIds(filter)).toEqual(expected);
      expect(await suite.store.countOrders(filter)).toBe(3);
      expect(await suite.store.countOrders({ ...filter, limit: 2 })).toBe(2);
      expect(await suite.store.countOrders({ ...filter, statuses: ['held'] })).toBe(0);
      expect(await suite.store.countOrders({ customerId, limit: 50 })).toBe(Object.keys(made).length);
      expect(await suite.store.listOrderIds({ customerId, limit: 1 })).toEqual(await ids({ limit: 1 }));
    });

    it('filters by the present step of open orders, running or not', async () => {
      const made = await acceptOfEveryStatus();
      const expected = async (): Promise<void> => {
        expect(await ids({ step: 'Processing' })).toEqual([made['processing']]);
        expect(await ids({ step: 'Pre-Processing' })).toEqual([made['rolling_back']]);
        expect((await ids({ step: 'Scheduling' })).sort()).toEqual([made['queued'], made['needs_attention']].sort());
        expect(await ids({ step: 'Post-Processing' })).toEqual([]);
        expect(await ids({ step: 'No such step' })).toEqual([]);
      };
      await expected();
      await suite.store.endSessions([session], 'transfer');
      await expected();
    });

    it('filters by the node that works an order', async () => {
      const made = await accept();
      await accept();
      await suite.store.claimOrders(session, 1);
      expect(await ids({ nodeId })).toEqual([made]);
      expect(await ids({ nodeId: randomUUID() })).toEqual([]);
      await suite.store.endSessions([session], 'left');
      expect(await ids({ nodeId })).toEqual([]);
    });

    it('filters by region and customer name, letter for letter', async () => {
      const text = `Hà Nội' or 1=1 --`;
      const made = await accept({ region: text, customer_name: 'Ann' });
      await accept({ region: 'HN', customer_name: text });
      await accept();
      expect(await ids({ region: text })).toEqual([made]);
      expect(await ids({ customerName: 'Ann' })).toEqual([made]);
      expect(await ids({ customerName: 'ann' })).toEqual([]);
      expect(await ids({ region: 'HN', customerName: 'Ann' })).toEqual([]);
    });

    it('filters by symbol and tracking id, letter for letter, alone and beside all else', async () => {
      const [symbol, trackingId] = [`S ${randomUUID().slice(0, 8)}`, `it's "${randomUUID()}"`];
      const made = await accept({ symbol, tracking_id: trackingId, region: 'HN', customer_name: 'Ann' });
      const other = await accept({ symbol, region: 'DN' });
      await accept({ detail: symbol, customer_name: trackingId });
      const all = async (filter: Partial<OrderFilter>) =>
        (await suite.store.listOrders({ limit: 50, ...filter })).map(({ order }) => order.orderId);
      for (const list of [ids, all]) {
        expect(await list({ symbol })).toEqual([other, made]);
        expect(await list({ symbol: symbol.toLowerCase() })).toEqual([]);
        expect(await list({ trackingId })).toEqual([made]);
        expect(await list({ trackingId, symbol })).toEqual([made]);
        expect(await list({ symbol, region: 'DN' })).toEqual([other]);
        expect(await list({ symbol, statuses: ['queued'], region: 'DN' })).toEqual([other]);
        expect(await list({ symbol, statuses: ['completed'] })).toEqual([]);
        expect(await list({ trackingId, symbol, region: 'HN', customerName: 'Ann', statuses: ['queued'] })).toEqual([made]);
        expect(await list({ trackingId, symbol, region: 'DN', customerName: 'Ann' })).toEqual([]);
        expect(await list({ trackingId, customerName: 'Bob' })).toEqual([]);
      }
    });

    it('filters by the beginning of the id, whatever its case', async () => {
      const made = [await accept(), await accept()] as const;
      const digits = made[0].replaceAll('-', '');
      expect(await ids({ idDigits: digits })).toEqual([made[0]]);
      expect(await ids({ idDigits: digits.toUpperCase() })).toEqual([made[0]]);
      expect(await ids({ idDigits: digits.slice(0, 4) })).toEqual([made[1], made[0]]);
      expect(await ids({ idDigits: digits.slice(0, 4), beforeId: made[1] })).toEqual([made[0]]);
      expect(await ids({ idDigits: `${digits.slice(0, 31)}${digits.endsWith('0') ? '1' : '0'}` })).toEqual([]);
      expect(await ids({ idDigits: '0000' })).toEqual([]);
      expect(await ids({ idDigits: 'ffff' })).toEqual([]);
    });

    it('since takes the moment itself in, until leaves it out', async () => {
      const made = await accept();
      const { acceptedAt } = (await readOne(suite.store, made)).order;
      expect(await ids({ since: acceptedAt })).toEqual([made]);
      expect(await ids({ since: acceptedAt + 1 })).toEqual([]);
      expect(await ids({ until: acceptedAt })).toEqual([]);
      expect(await ids({ until: acceptedAt + 1 })).toEqual([made]);
      expect(await ids({ since: acceptedAt, until: acceptedAt + 1 })).toEqual([made]);
    });

    it('another customer’s orders are not there; without a customer all are', async () => {
      const made = await accept();
      const other = await acceptOne(suite.store, { customerId: `other ${customerId}` });
      expect(await ids()).toEqual([made]);
      const all = (await suite.store.listOrders({ limit: 2 })).map(({ order }) => order.orderId);
      expect(all).toEqual([other, made]);
    });
  });
}
