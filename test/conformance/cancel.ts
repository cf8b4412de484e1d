import { beforeEach, describe, expect, it } from 'vitest';
import type { CancelVerdict, ClaimedOrder } from '#engine/store.ts';
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
  kindsOf,
  lastEventOf,
  moveOf,
  readOne,
  TTL_MS,
} from './support.ts';

export function describeCancel(suite: Suite): void {
  describe('cancelOrder', () => {
    let session: number;
    let orderId: string;
    beforeEach(async () => {
      session = await suite.store.openSession(describeNode(), TTL_MS);
      await clearQueue(suite.store);
      orderId = await acceptOne(suite.store);
    });
    const cancel = (reason?: string): Promise<CancelVerdict> =>
      suite.store.cancelOrder({ orderId, customerId: undefined, actor: 'op "x"', reason });
    const claim = (): Promise<ClaimedOrder> => claimOne(suite.store, session, orderId);

    it('I12: ends an order that never began, with its author', async () => {
      expect(await cancel('too late; $1 \'"')).toEqual({ outcome: 'cancelled' });
      const { order } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state: 'cancelled', version: 2, fence: 1, ownerSession: null });
      expect(order.endedAt).not.toBeNull();
      expect(await lastEventOf(suite.store, orderId)).toMatchObject({
        ...{ kind: 'cancelled', version: 2, step: 1, direction: 'forward', sessionId: null, fence: 1 },
        data: { actor: 'op "x"', reason: 'too late; $1 \'"' },
      });
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
      expect(await cancel()).toEqual({ outcome: 'refused', status: 'cancelled' });
    });

    it('I3: of many cancels at once one ends it', async () => {
      const request = { orderId, customerId: undefined, actor: 'op', reason: undefined };
      const verdicts = await Promise.all([1, 2, 3, 4].map((n) => (n % 2 ? suite.store : suite.second).cancelOrder(request)));
      expect(verdicts.filter(({ outcome }) => outcome === 'cancelled')).toHaveLength(1);
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'cancelled']);
    });

    it('does not let an order whose cancel waits be put off: it is undone at once', async () => {
      const claimed = await claim();
      await cancel();
      const putOff = closingOf(claimed, 'retry_scheduled', 'queued', { delayMs: 60_000 });
      expect(await advanceOne(suite.store, session, putOff)).toBe('cancel_requested');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed']);
    });

    it('I7: asks the owner of one that runs, and again without another mark', async () => {
      await claim();
      expect(await cancel()).toEqual({ outcome: 'requested' });
      expect(await cancel()).toEqual({ outcome: 'requested' });
      const { order, events } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state: 'running', requested: 'cancel', direction: 'forward', version: 2, fence: 1 });
      expect(events.map(({ kind }) => kind)).toEqual(['accepted', 'claimed']);
      expect(await suite.store.readOwnedOrders(session)).toMatchObject([{ orderId, cancelRequested: true }]);
    });

    it('the history tells who cancelled one that runs, and why, whoever begins to undo it', async () => {
      await claim();
      await cancel('no stock');
      await suite.second.cancelOrder({ orderId, customerId: undefined, actor: 'too late', reason: undefined });
      await suite.store.endSessions([session], 'transfer');
      session = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await advanceOne(suite.store, session, moveOf(await claim(), 'cancel_started'))).toBe('applied');
      expect(await lastEventOf(suite.store, orderId)).toMatchObject({
        ...{ kind: 'cancel_started', sessionId: session, data: { actor: 'op "x"', reason: 'no stock' } },
      });
    });

    it('I11: turns one that began and waits, at once', async () => {
      const claimed = await claim();
      await completeSteps(suite.store, session, claimed, 1);
      const at = { step: 2, direction: 'forward' } as const;
      const closing = { state: 'queued', at, retries: 2, delayMs: 3_600_000 } as const;
      await advanceOne(suite.store, session, moveOf(claimed, 'retry_scheduled', { step: 2, closing }, 1));
      expect(await cancel()).toEqual({ outcome: 'requested' });
      expect((await readOne(suite.store, orderId)).order).toMatchObject({
        ...{ state: 'queued', direction: 'rollback', step: 2, version: 5, fence: 2, retries: 0, requested: 'cancel' },
      });
      expect(await lastEventOf(suite.store, orderId)).toMatchObject({
        ...{ kind: 'cancel_started', step: 2, direction: 'forward', sessionId: null, fence: 2, data: { actor: 'op "x"' } },
      });
      expect(await claim()).toMatchObject({
        ...{ step: 2, direction: 'rollback', attempt: 1, cancelRequested: true, retries: 0 },
        ...{ brokenStep: { step: 2, outcome: 'unknown' }, results: [{ step: 1 }] },
      });
    });

    it('I11: one whose first step may have begun is undone too, though no step is completed', async () => {
      await claim();
      await suite.store.endSessions([session], 'transfer');
      expect(await cancel()).toEqual({ outcome: 'requested' });
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'handed_over', 'cancel_started']);
      expect((await readOne(suite.store, orderId)).order).toMatchObject({ state: 'queued', direction: 'rollback', step: 1 });
    });

    it('I8: a wish outlives the session it was made to', async () => {
      await claim();
      await cancel();
      await suite.store.endSessions([session], 'transfer');
      expect(await cancel()).toEqual({ outcome: 'requested' });
      session = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await claim()).toMatchObject({ step: 1, direction: 'forward', cancelRequested: true });
    });

    it('refuses one that is being undone, running or waiting', async () => {
      const claimed = await claim();
      await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'));
      expect(await cancel()).toEqual({ outcome: 'refused', status: 'rolling_back' });
      await suite.store.endSessions([session], 'transfer');
      expect(await cancel()).toEqual({ outcome: 'refused', status: 'rolling_back' });
    });

    it('refuses one that is completed, failed or stopped for a person', async () => {
      await completeOrder(suite.store, session, orderId);
      expect(await cancel()).toEqual({ outcome: 'refused', status: 'completed' });
      for (const [kind, state] of [
        ['failed', 'failed'],
        ['attention_needed', 'needs_attention'],
      ] as const) {
        orderId = await acceptOne(suite.store);
        const claimed = await claim();
        await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'));
        const end = closingOf(claimed, kind, state, { at: { step: 1, direction: 'rollback' } });
        await advanceOne(suite.store, session, { ...end, version: claimed.version + 2, direction: 'rollback' });
        expect(await cancel()).toEqual({ outcome: 'refused', status: state });
      }
    });

    it('another customer’s order and one that does not exist are unknown', async () => {
      const request = { orderId, customerId: 'someone-else', actor: 'someone-else', reason: undefined };
      expect(await suite.store.cancelOrder(request)).toEqual({ outcome: 'unknown' });
      const missing = { ...request, orderId: '00000000-0000-7000-8000-000000000000', customerId: undefined };
      expect(await suite.store.cancelOrder(missing)).toEqual({ outcome: 'unknown' });
      expect((await readOne(suite.store, orderId)).order.state).toBe('queued');
      expect(await suite.store.cancelOrder({ ...request, customerId: 'user' })).toEqual({ outcome: 'cancelled' });
    });
  });
}
