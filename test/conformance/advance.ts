import { beforeEach, describe, expect, it } from 'vitest';
import type { OrderEvent } from '#domain/order.ts';
import type { OrderState } from '#domain/order-state.ts';
import type { Closing } from '#engine/plan.ts';
import type { ClaimedOrder, OrderMove } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import {
  acceptOne,
  advanceOne,
  claimOne,
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

export function describeAdvance(suite: Suite): void {
  describe('advanceOrders', () => {
    let session: number;
    let orderId: string;
    let claimed: ClaimedOrder;
    beforeEach(async () => {
      session = await suite.store.openSession(describeNode(), TTL_MS);
      orderId = await acceptOne(suite.store);
      claimed = await claimOne(suite.store, session, orderId);
    });
    const cancel = () => suite.second.cancelOrder({ orderId, customerId: undefined, actor: 'operator', reason: undefined });

    it('I4, I7: a move inside the run appends its event and leaves the row', async () => {
      const before = (await readOne(suite.store, orderId)).order;
      const move = moveOf(claimed, 'step_completed', { data: { result: { "it's": ['"', null, 1e-7] } } });
      expect(await advanceOne(suite.store, session, move)).toBe('applied');
      const { order, events } = await readOne(suite.store, orderId);
      expect(order).toEqual(before);
      expect(events.at(-1)).toMatchObject({
        ...{ version: 3, kind: 'step_completed', step: 1, direction: 'forward', sessionId: session, fence: 1, data: move.data },
      });
    });

    it('I4: a move that is sent again is replayed and stands once', async () => {
      const move = moveOf(claimed, 'step_completed');
      expect(await advanceOne(suite.store, session, move)).toBe('applied');
      expect(await advanceOne(suite.second, session, move)).toBe('replayed');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'step_completed']);
    });

    it('I4: one move sent many times at once is applied once', async () => {
      const move = moveOf(claimed, 'step_completed');
      const verdicts = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => advanceOne(n % 2 ? suite.store : suite.second, session, move)));
      expect(verdicts).toContain('applied');
      expect(verdicts.filter((verdict) => verdict !== 'applied' && verdict !== 'replayed')).toEqual([]);
      expect(await advanceOne(suite.store, session, move)).toBe('replayed');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'step_completed']);
      await advanceOne(suite.second, session, moveOf(claimed, 'step_failed', { step: 2 }, 1));
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'step_completed', 'step_failed']);
    });

    it('I4: an end sent many times at once is applied once', async () => {
      const move = closingOf(claimed, 'handed_back', 'queued');
      const verdicts = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => advanceOne(n % 2 ? suite.store : suite.second, session, move)));
      expect(verdicts.filter((verdict) => verdict === 'applied')).toHaveLength(1);
      expect(verdicts.filter((verdict) => verdict === 'replayed')).toHaveLength(5);
    });

    it('what a history told once it tells for ever, whoever goes on with the order and however it leaves', async () => {
      const told: OrderEvent[][] = [];
      const look = async (): Promise<void> => void told.push((await readOne(suite.second, orderId)).events);
      const result = (step: number): Partial<OrderMove> => ({ step, data: { result: `of step ${step}` } });
      await advanceOne(suite.store, session, moveOf(claimed, 'step_completed', { step: 1 }));
      await look();
      await advanceOne(suite.second, session, moveOf(claimed, 'step_completed', result(2), 1));
      await look();
      await suite.store.endSessions([session], 'transfer');
      await look();
      const next = await suite.store.openSession(describeNode(), TTL_MS);
      const again = await claimOne(suite.store, next, orderId);
      expect(again).toMatchObject({ step: 3, results: [null, 'of step 2'] });
      await look();
      await advanceOne(suite.store, next, moveOf(again, 'step_completed', result(3)));
      await look();
      const owned = (await suite.store.readOwnedOrders(next)).find((order) => order.orderId === orderId);
      expect(owned).toMatchObject({ step: 4, results: [null, 'of step 2', 'of step 3'] });
      const end: Closing = { state: 'completed', at: { step: 4, direction: 'forward' }, retries: 0, delayMs: 0 };
      await advanceOne(suite.second, next, moveOf(again, 'completed', { step: 4, closing: end }, 1));
      await look();
      expect(told.map((events) => events.length)).toEqual([3, 4, 5, 6, 7, 8]);
      for (const [index, events] of told.slice(1).entries()) expect(events.slice(0, told[index]?.length)).toEqual(told[index]);
      const steps = told.at(-1)?.filter(({ kind }) => kind === 'step_completed' || kind === 'completed');
      expect(steps?.map(({ step, sessionId, fence }) => [step, sessionId, fence])).toEqual([
        ...[1, 2].map((step) => [step, session, 1]),
        ...[3, 4].map((step) => [step, next, 3]),
      ]);
    });

    it('I9: another move at a version that is taken is fenced', async () => {
      await advanceOne(suite.store, session, moveOf(claimed, 'step_completed'));
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'))).toBe('fenced');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'step_completed']);
    });

    it.each([0, 2, 7])('I7: the wrong fence %i is fenced', async (fence) => {
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'step_completed', { fence }))).toBe('fenced');
      expect(await advanceOne(suite.store, session, { ...closingOf(claimed, 'handed_back', 'queued'), fence })).toBe('fenced');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed']);
    });

    it('I3, I7: a session that does not own the order is fenced', async () => {
      const other = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await advanceOne(suite.store, other, moveOf(claimed, 'step_completed'))).toBe('fenced');
      expect(await advanceOne(suite.store, other, closingOf(claimed, 'handed_back', 'queued'))).toBe('fenced');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed']);
    });

    it('I6: after the session was declared dead its moves are fenced, and what it wrote before is replayed', async () => {
      const written = moveOf(claimed, 'step_completed');
      await advanceOne(suite.store, session, written);
      await suite.second.endSessions([session], 'transfer');
      const late = moveOf(claimed, 'step_completed', { step: 2 }, 1);
      expect(await advanceOne(suite.store, session, late)).toBe('fenced');
      expect(await advanceOne(suite.store, session, { ...closingOf(claimed, 'handed_back', 'queued'), version: 5 })).toBe('fenced');
      expect(await advanceOne(suite.store, session, written)).toBe('replayed');
      expect(await kindsOf(suite.store, orderId)).toEqual(['accepted', 'claimed', 'step_completed', 'handed_over']);
    });

    it('I6: an expired lease alone takes no write away', async () => {
      await suite.underTest.expireSession(session);
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'step_completed'))).toBe('applied');
    });

    it('I7: a claim by the same session again is another ownership', async () => {
      await advanceOne(suite.store, session, closingOf(claimed, 'handed_back', 'queued'));
      const again = await claimOne(suite.store, session, orderId);
      expect(again.fence).toBe(3);
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'step_completed', { version: again.version + 1 }))).toBe('fenced');
      expect(await advanceOne(suite.store, session, moveOf(again, 'step_completed'))).toBe('applied');
    });

    it('answers a mixed batch in its order, each order by itself', async () => {
      const more = await acceptOne(suite.store);
      const second = await claimOne(suite.store, session, more);
      const strange = { ...moveOf(claimed, 'step_completed'), orderId: '00000000-0000-7000-8000-000000000000' };
      const replayed = moveOf(claimed, 'step_completed');
      await advanceOne(suite.store, session, replayed);
      const third = await claimOne(suite.store, session, await acceptOne(suite.store));
      const batch = [strange, closingOf(second, 'handed_back', 'queued'), replayed, moveOf(third, 'step_completed')];
      expect(await suite.store.advanceOrders(session, batch)).toEqual(['fenced', 'applied', 'replayed', 'applied']);
      expect(await suite.store.advanceOrders(session, [])).toEqual([]);
    });

    it('I10, I12: the last step completes the order', async () => {
      await suite.store.endSessions([session], 'left');
      const next = await suite.store.openSession(describeNode(), TTL_MS);
      await completeOrder(suite.store, next, orderId);
      const { order } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state: 'completed', ownerSession: null, step: 4, fence: 4, version: 8, retries: 0 });
      expect(order.endedAt).toBeGreaterThanOrEqual(order.acceptedAt);
      expect(await suite.store.claimOrders(next, 1_000)).toEqual([]);
    });

    it('I5: a closing move resent is replayed, also after someone else claimed the order', async () => {
      const move = closingOf(claimed, 'handed_back', 'queued');
      expect(await advanceOne(suite.store, session, move)).toBe('applied');
      expect(await advanceOne(suite.store, session, move)).toBe('replayed');
      const other = await suite.store.openSession(describeNode(), TTL_MS);
      expect((await claimOne(suite.store, other, orderId)).fence).toBe(3);
      expect(await advanceOne(suite.store, session, move)).toBe('replayed');
    });

    it('puts an order off: it waits its delay and keeps its retries', async () => {
      const move = closingOf(claimed, 'retry_scheduled', 'queued', { retries: 2, delayMs: 5_000 });
      expect(await advanceOne(suite.store, session, move)).toBe('applied');
      const { order, events } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state: 'queued', retries: 2, fence: 2, version: 3, ownerSession: null, endedAt: null });
      expect(Math.abs(order.nextRunAt - (events.at(-1)?.at ?? 0) - 5_000)).toBeLessThan(50);
      expect((await lastEventOf(suite.store, orderId)).fence).toBe(1);
    });

    const rollback = [
      ['failed', 'failed'],
      ['cancelled', 'cancelled'],
      ['attention_needed', 'needs_attention'],
    ] as const satisfies readonly (readonly [string, OrderState])[];
    it.each(rollback)('I11, I12: a rollback ends with %s', async (kind, state) => {
      await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'));
      const at = { step: 1, direction: 'rollback' } as const;
      const end = moveOf(claimed, kind, { direction: 'rollback', closing: { state, at, retries: 0, delayMs: 0 } }, 1);
      expect(await advanceOne(suite.store, session, end)).toBe('applied');
      const { order } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state, direction: 'rollback', step: 1, ownerSession: null, fence: 2, version: 4 });
      expect(order.endedAt === null).toBe(state === 'needs_attention');
      expect(await suite.store.claimOrders(session, 1_000)).toEqual([]);
    });

    it('I12: refuses to complete an order that is to be cancelled, and takes its undoing', async () => {
      await completeSteps(suite.store, session, claimed, 3);
      expect(await cancel()).toEqual({ outcome: 'requested' });
      const at = { step: 4, direction: 'forward' } as const;
      const complete = moveOf(claimed, 'completed', { step: 4, closing: { state: 'completed', at, retries: 0, delayMs: 0 } }, 3);
      expect(await advanceOne(suite.store, session, complete)).toBe('cancel_requested');
      expect((await readOne(suite.store, orderId)).order.state).toBe('running');
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'cancel_started', { step: 4 }, 3))).toBe('applied');
      expect((await kindsOf(suite.store, orderId)).at(-1)).toBe('cancel_started');
    });

    it('a waiting cancel refuses no other move', async () => {
      await cancel();
      expect(await advanceOne(suite.store, session, moveOf(claimed, 'step_completed'))).toBe('applied');
      const back = moveOf(
        claimed,
        'handed_back',
        { step: 2, closing: { state: 'queued', at: { step: 2, direction: 'forward' }, retries: 0, delayMs: 0 } },
        1,
      );
      expect(await advanceOne(suite.store, session, back)).toBe('applied');
      const other = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await claimOne(suite.store, other, orderId)).toMatchObject({ step: 2, cancelRequested: true });
    });
  });
}
