import { beforeEach, describe, expect, it } from 'vitest';
import type { Suite } from './store-conformance.ts';
import {
  acceptOne,
  advanceOne,
  claimOne,
  clearQueue,
  closingOf,
  completeSteps,
  describeNode,
  lastEventOf,
  loadOf,
  moveOf,
  newOrder,
  readOne,
  TTL_MS,
} from './support.ts';

export function describeClaim(suite: Suite): void {
  describe('claimOrders', () => {
    let session: number;
    beforeEach(async () => {
      session = await suite.store.openSession(describeNode(), TTL_MS);
      await clearQueue(suite.store);
    });

    it('I3, I4, I5: a claim makes the order run in the session, with the next fence and version', async () => {
      const orderId = await acceptOne(suite.store, { content: { symbol: 'ABC' } });
      const [claimed] = await suite.store.claimOrders(session, 10);
      expect(claimed).toMatchObject({
        ...{ orderId, customerId: 'user', workflow: 'order', workflowVersion: 1, content: { symbol: 'ABC' } },
        ...{ step: 1, direction: 'forward', fence: 1, version: 2, retries: 0, attempt: 1, results: [], cancelRequested: false },
      });
      expect(claimed?.brokenStep).toBeUndefined();
      const { order } = await readOne(suite.store, orderId);
      expect(order).toMatchObject({ state: 'running', ownerSession: session, fence: 1, version: 2 });
      expect(await lastEventOf(suite.store, orderId)).toMatchObject({
        ...{ kind: 'claimed', version: 2, step: 1, direction: 'forward', sessionId: session, fence: 1, data: null },
      });
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
    });

    it('takes the oldest first and no more than asked for', async () => {
      const ids: string[] = [];
      for (let index = 0; index < 6; index += 1) ids.push(await acceptOne(suite.store));
      expect((await suite.store.claimOrders(session, 0)).length).toBe(0);
      expect((await suite.store.claimOrders(session, 4)).map(({ orderId }) => orderId)).toEqual(ids.slice(0, 4));
      expect((await suite.store.claimOrders(session, 4)).map(({ orderId }) => orderId)).toEqual(ids.slice(4));
    });

    it('orders of one moment go by their id', async () => {
      const orders = Array.from({ length: 20 }, () => newOrder());
      await suite.store.acceptOrders(orders);
      const claimed = await suite.store.claimOrders(session, 20);
      expect(claimed.map(({ orderId }) => orderId)).toEqual(orders.map(({ orderId }) => orderId).sort());
    });

    it('I3: claims at once over two stores never share an order and leave none', async () => {
      const orders = Array.from({ length: 200 }, () => newOrder());
      await suite.store.acceptOrders(orders);
      const other = await suite.second.openSession(describeNode(), TTL_MS);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          index % 2 === 0 ? suite.store.claimOrders(session, 7) : suite.second.claimOrders(other, 7),
        ),
      );
      const ids = [...claims.flat(), ...(await suite.store.claimOrders(session, 1_000))].map(({ orderId }) => orderId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids.sort()).toEqual(orders.map(({ orderId }) => orderId).sort());
    });

    it('takes only orders of workflow versions that its node knows', async () => {
      const workflow = { name: 'order', version: 2, stepNames: ['One', 'Two'] };
      await suite.store.registerWorkflows([workflow]);
      const newer = await acceptOne(suite.store, { workflowVersion: 2 });
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
      expect(await suite.store.tick(session, TTL_MS, loadOf())).toMatchObject({ workDue: false });
      const both = await suite.store.openSession(
        describeNode({
          workflows: [
            { name: 'order', version: 2 },
            { name: 'unknown', version: 1 },
          ],
        }),
        TTL_MS,
      );
      expect((await suite.store.claimOrders(both, 10)).map(({ orderId, workflowVersion }) => [orderId, workflowVersion])).toEqual([
        [newer, 2],
      ]);
    });

    it('does not take what is put off until later', async () => {
      const orderId = await acceptOne(suite.store);
      const claimed = await claimOne(suite.store, session, orderId);
      const move = closingOf(claimed, 'retry_scheduled', 'queued', { retries: 1, delayMs: 3_600_000 });
      expect(await advanceOne(suite.store, session, move)).toBe('applied');
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
    });

    it('a draining session takes nothing, until it drains no more', async () => {
      const orderId = await acceptOne(suite.store);
      await suite.store.tick(session, TTL_MS, loadOf({ draining: true }));
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
      expect((await readOne(suite.store, orderId)).order.state).toBe('queued');
      await suite.store.tick(session, TTL_MS, loadOf());
      expect((await suite.store.claimOrders(session, 10)).map((order) => order.orderId)).toEqual([orderId]);
    });

    it('I6: a session whose lease ran out takes nothing until a heartbeat renews it', async () => {
      const orderId = await acceptOne(suite.store);
      await suite.underTest.expireSession(session);
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
      await suite.store.tick(session, TTL_MS, loadOf());
      expect((await suite.store.claimOrders(session, 10)).map((order) => order.orderId)).toEqual([orderId]);
    });

    it('I6: a dead or unknown session takes nothing', async () => {
      await acceptOne(suite.store);
      await suite.second.endSessions([session], 'transfer');
      expect(await suite.store.claimOrders(session, 10)).toEqual([]);
      expect(await suite.store.claimOrders(999_999_999, 10)).toEqual([]);
    });

    it('brings the folded history of an order that others worked before', async () => {
      const orderId = await acceptOne(suite.store);
      const claimed = await claimOne(suite.store, session, orderId);
      await completeSteps(suite.store, session, claimed, 2);
      const failed = moveOf(claimed, 'step_failed', { step: 3, data: { error: { code: 'x', message: 'y' }, unknown: true } }, 2);
      await advanceOne(suite.store, session, failed);
      await suite.store.endSessions([session], 'transfer');
      const next = await suite.store.openSession(describeNode(), TTL_MS);
      expect(await claimOne(suite.store, next, orderId)).toMatchObject({
        ...{ step: 3, direction: 'rollback', fence: 3, version: 7, retries: 0, attempt: 2 },
        ...{ results: [{ step: 1 }, { step: 2 }], brokenStep: { step: 3, outcome: 'unknown' } },
      });
    });

    it('counts the attempts of a step over hand-overs', async () => {
      const orderId = await acceptOne(suite.store);
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        const next = await suite.store.openSession(describeNode(), TTL_MS);
        expect((await claimOne(suite.store, next, orderId)).attempt).toBe(attempt);
        await suite.store.endSessions([next], 'left');
      }
    });
  });
}
