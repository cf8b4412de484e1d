import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { BUCKET_MS, type EventCounts, type StatisticsPoint, type WindowReport } from '#engine/statistics-store.ts';
import type { Store } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import { acceptOne, advanceOne, claimOne, clearQueue, closingOf, completeOrder, completeSteps, describeNode, moveOf } from './support.ts';

const MINUTE_MS = 60_000;
const WHILE_IT_HAPPENED_S = 20;

export function describeStatistics(suite: Suite): void {
  describe('the statistics', () => {
    let session: number;
    beforeAll(async () => {
      session = await suite.store.openSession(describeNode(), 60 * MINUTE_MS);
    });
    beforeEach(() => clearQueue(suite.store));

    async function countAll(store: Store): Promise<void> {
      while ((await store.statistics.rollUp({ maxBuckets: 1_000 })).dueInMs === 0);
    }

    async function readAll(pointMs = BUCKET_MS): Promise<WindowReport> {
      const { countedUpto = 0 } = await suite.second.statistics.readPresent();
      const until = countedUpto + MINUTE_MS;
      return suite.second.statistics.readWindow({ since: until - (until % MINUTE_MS) - 30 * MINUTE_MS, until, pointMs });
    }

    async function sums(): Promise<EventCounts> {
      const { points } = await readAll();
      const sum = (kind: keyof EventCounts): number => points.reduce((total, point) => total + point[kind], 0);
      return { accepted: sum('accepted'), completed: sum('completed'), failed: sum('failed'), cancelled: sum('cancelled') };
    }

    async function failOne(): Promise<void> {
      const claimed = await claimOne(suite.store, session, await acceptOne(suite.store));
      await advanceOne(suite.store, session, moveOf(claimed, 'step_failed'));
      const end = closingOf(claimed, 'failed', 'failed', { at: { step: 1, direction: 'rollback' } });
      await advanceOne(suite.store, session, { ...end, version: claimed.version + 2, direction: 'rollback' });
    }

    async function cancelOne(): Promise<void> {
      const orderId = await acceptOne(suite.store);
      await suite.store.cancelOrder({ orderId, customerId: undefined, actor: 'op', reason: undefined });
    }

    const complete = async (): Promise<void> => completeOrder(suite.store, session, await acceptOne(suite.store));

    it('tell what was accepted and how it ended, once, whoever rolls up and however often', async () => {
      await suite.store.statistics.rollUp({ maxBuckets: 1 });
      for (const happen of [complete, complete, failOne, cancelOne, complete]) await happen();
      await acceptOne(suite.store);
      await suite.underTest.letPass(WHILE_IT_HAPPENED_S);
      await Promise.all([suite.store, suite.second, suite.store, suite.second].map(countAll));
      await countAll(suite.store);
      expect(await sums()).toEqual({ accepted: 6, completed: 3, failed: 1, cancelled: 1 });
      const { latencies } = await readAll();
      expect([...latencies.values()].reduce((total, count) => total + count, 0)).toBe(3);
    });

    it('stand in the stretch in which they happened; wider points have the same sums', async () => {
      const before = await sums();
      await complete();
      await suite.underTest.letPass(WHILE_IT_HAPPENED_S);
      await complete();
      await suite.underTest.letPass(WHILE_IT_HAPPENED_S);
      await countAll(suite.store);
      const { points } = await readAll();
      expect(points.map(({ at }) => at)).toEqual([...new Set(points.map(({ at }) => at))].sort((a, b) => a - b));
      expect(points.every(({ at }) => at % BUCKET_MS === 0)).toBe(true);
      const later = points.filter(({ completed }) => completed > 0).slice(-2) as [StatisticsPoint, StatisticsPoint];
      expect(later.map(({ completed }) => completed)).toEqual([1, 1]);
      expect(later[1].at - later[0].at).toBeGreaterThanOrEqual(2 * BUCKET_MS);
      const wide = await readAll(MINUTE_MS);
      expect(wide.points.every(({ at }) => at % MINUTE_MS === 0)).toBe(true);
      expect(wide.points.reduce((total, { completed }) => total + completed, 0)).toBe(before.completed + 2);
      expect(wide.latencies).toEqual((await readAll()).latencies);
    });

    it('tell how long orders took since their acceptance', async () => {
      const before = (await readAll()).latencies;
      const orderId = await acceptOne(suite.store);
      await suite.underTest.letPass(60);
      const claimed = await claimOne(suite.store, session, orderId);
      await completeSteps(suite.store, session, claimed, 3);
      const closing = { state: 'completed', at: { step: 4, direction: 'forward' }, retries: 0, delayMs: 0 } as const;
      await advanceOne(suite.store, session, moveOf(claimed, 'completed', { step: 4, closing }, 3));
      await suite.underTest.letPass(WHILE_IT_HAPPENED_S);
      await countAll(suite.store);
      const added = [...(await readAll()).latencies].filter(([bin, count]) => count > (before.get(bin) ?? 0)).map(([bin]) => bin);
      // 60 seconds are in bin 126, 65 in bin 127.
      expect(added).toHaveLength(1);
      expect([126, 127]).toContain(added[0]);
    });

    it('end where everything is counted, and say when there is more to count', async () => {
      await countAll(suite.store);
      const { countedUpto = 0 } = await suite.second.statistics.readPresent();
      const report = await suite.store.statistics.rollUp({ maxBuckets: 1 });
      expect(report.upto).toBeGreaterThanOrEqual(countedUpto);
      expect(report.upto % BUCKET_MS).toBe(0);
      expect(report.dueInMs).toBeGreaterThan(0);
      expect(report.dueInMs).toBeLessThanOrEqual(BUCKET_MS);
      await suite.underTest.letPass(60);
      const first = await suite.store.statistics.rollUp({ maxBuckets: 2 });
      const second = await suite.second.statistics.rollUp({ maxBuckets: 2 });
      expect([first.dueInMs, second]).toEqual([0, { upto: first.upto + 2 * BUCKET_MS, dueInMs: 0 }]);
      await countAll(suite.store);
    });

    it('show the order that waits longest for a slot, and how many wait for a person', async () => {
      const before = await suite.store.statistics.readPresent();
      expect(before.oldestWaiting).toBeUndefined();
      const [first] = [await acceptOne(suite.store), await acceptOne(suite.store)];
      const { oldestWaiting } = await suite.second.statistics.readPresent();
      expect(oldestWaiting).toEqual({ orderId: first, since: expect.any(Number) });
      expect(Math.abs((oldestWaiting?.since ?? 0) - systemClock.now())).toBeLessThan(10 * MINUTE_MS);
      const claimed = await claimOne(suite.store, session, first);
      const later = closingOf(claimed, 'retry_scheduled', 'queued', { retries: 1, delayMs: MINUTE_MS });
      await advanceOne(suite.store, session, later);
      expect((await suite.second.statistics.readPresent()).oldestWaiting).toBeUndefined();
      const stuck = await claimOne(suite.store, session, await acceptOne(suite.store));
      await advanceOne(suite.store, session, closingOf(stuck, 'attention_needed', 'needs_attention'));
      expect((await suite.second.statistics.readPresent()).needsAttention).toBe(before.needsAttention + 1);
    });
  });
}
