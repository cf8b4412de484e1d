import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import type { RetryVerdict } from '#engine/operation-store.ts';
import type { LeadershipBid, Liveness, Subscription } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import {
  acceptOne,
  advanceOne,
  claimOne,
  clearQueue,
  closingOf,
  completeOrder,
  describeNode,
  kindsOf,
  lastEventOf,
  loadOf,
  ORDER_WORKFLOW,
  readOne,
  TTL_MS,
} from './support.ts';

const AUTHOR = { actor: 'op "x"', reason: 'because; \'"' };

export function describeCluster(suite: Suite): void {
  const openSession = (): Promise<number> => suite.store.openSession(describeNode(), TTL_MS);
  const bid = async (session: number, leading: LeadershipBid): Promise<number | undefined> =>
    (await suite.second.tick(session, TTL_MS, loadOf({ leading })))?.leaderTerm;

  describe('the leader', () => {
    let [one, two] = [0, 0];
    beforeEach(async () => {
      await suite.underTest.expireLeader('lease');
      [one, two] = [await openSession(), await openSession()];
    });
    const leaderNow = async (): Promise<number | undefined> => (await suite.store.operations.readCluster()).leader?.session;

    it('is who bids first; it renews with its term, and others get nothing', async () => {
      const term = await bid(one, { term: undefined, worked: true });
      expect(term).toBeGreaterThan(0);
      expect(await bid(two, { term: undefined, worked: true })).toBeUndefined();
      expect(await bid(one, { term, worked: true })).toBe(term);
      expect(await leaderNow()).toBe(one);
      expect((await suite.store.tick(two, TTL_MS, loadOf()))?.leader).toBe(one);
    });

    it('is replaced when its lease has run out, by a higher term, and does not get it back by the old one', async () => {
      const first = (await bid(one, { term: undefined, worked: true })) ?? 0;
      await suite.underTest.expireLeader('lease');
      expect(await leaderNow()).toBeUndefined();
      expect(await bid(two, { term: undefined, worked: true })).toBe(first + 1);
      expect(await bid(one, { term: first, worked: true })).toBeUndefined();
      expect(await leaderNow()).toBe(two);
    });

    it('is replaced when its work has stood still for four leases, though it renews', async () => {
      const first = (await bid(one, { term: undefined, worked: true })) ?? 0;
      await suite.underTest.expireLeader('work');
      expect(await bid(two, { term: undefined, worked: true })).toBe(first + 1);
    });

    it('is free to be replaced at once when its session ends', async () => {
      const first = (await bid(one, { term: undefined, worked: true })) ?? 0;
      await suite.second.endSessions([one], 'left');
      expect(await bid(two, { term: undefined, worked: true })).toBe(first + 1);
    });

    it('is nobody who is dead, and nobody who does not bid', async () => {
      await suite.store.endSessions([one], 'left');
      expect(await bid(one, { term: undefined, worked: true })).toBeUndefined();
      expect((await suite.store.tick(two, TTL_MS, loadOf()))?.leaderTerm).toBeUndefined();
      expect(await leaderNow()).toBeUndefined();
    });
  });

  describe('liveness', () => {
    const attend = async (session: number): Promise<{ subscription: Subscription; seen: Liveness[] }> => {
      const seen: Liveness[] = [];
      const subscription = await suite.store.attendSession(session, { onHint: () => undefined, onLiveness: (now) => seen.push(now) });
      await vi.waitFor(() => expect(seen).toEqual(['held']));
      await suite.store.tick(session, TTL_MS, loadOf({ hasLiveness: true }));
      return { subscription, seen };
    };
    const lost = async (session: number): Promise<boolean> => (await suite.second.findLostSessions(0)).includes(session);

    it('I6: a session is lost, and may be ended for it, exactly when nobody holds its lock any more', async () => {
      const session = await openSession();
      const { subscription } = await attend(session);
      expect(await lost(session)).toBe(false);
      expect(await suite.second.endSessions([session], 'connection_lost')).toEqual([]);
      await subscription.close();
      await vi.waitFor(async () => expect(await lost(session)).toBe(true));
      const other = await openSession();
      const report = await suite.second.tick(other, 0, loadOf({ lookForLost: true }));
      expect(report?.lostSessions).toContain(session);
      await vi.waitFor(async () =>
        expect(await suite.second.endSessions([session], 'connection_lost')).toEqual([{ session, handedOver: 0 }]),
      );
      expect(await lost(session)).toBe(false);
    });

    it('a session that never said that it holds its lock is not lost, and the tick answers only who asks', async () => {
      const session = await openSession();
      expect(await lost(session)).toBe(false);
      expect(await suite.store.endSessions([session], 'connection_lost')).toEqual([]);
      expect((await suite.store.tick(session, TTL_MS, loadOf()))?.lostSessions).toBeUndefined();
    });

    it('I5: deaths of nodes are counted up to two, leaving and transfer are not', async () => {
      await clearQueue(suite.store);
      const orderId = await acceptOne(suite.store);
      const crashes: number[] = [];
      for (const reason of ['expired', 'left', 'connection_lost', 'transfer', 'expired', 'expired'] as const) {
        const session = await openSession();
        const claimed = await claimOne(suite.store, session, orderId);
        expect(claimed.crashCount).toBe(crashes.at(-1) ?? 0);
        if (reason === 'expired') await suite.underTest.expireSession(session);
        if (reason === 'connection_lost') await (await attend(session)).subscription.close();
        await vi.waitFor(async () => expect(await suite.second.endSessions([session], reason)).toHaveLength(1));
        crashes.push((await readOne(suite.store, orderId)).order.crashCount);
      }
      expect(crashes).toEqual([1, 1, 2, 2, 2, 2]);
    });
  });

  describe('operations', () => {
    const newest = async () => (await suite.second.operations.listInterventions({ limit: 1 }))[0];

    it('readCluster shows who is there, what they said of themselves, and who has gone lately', async () => {
      const node = describeNode({ nodeName: `n-${randomUUID()}`, slots: 7, address: 'http://127.0.0.1:1' });
      const session = await suite.store.openSession(node, TTL_MS);
      await suite.store.tick(
        session,
        TTL_MS,
        loadOf({ busy: 4, hasLiveness: true, counts: { fencedWrites: 1, takeovers: 2, handedOver: 3 } }),
      );
      const find = async () => (await suite.second.operations.readCluster()).sessions.filter(({ nodeId }) => nodeId === node.nodeId);
      expect(await find()).toMatchObject([
        {
          ...node,
          session,
          state: 'live',
          busy: 4,
          hasLiveness: true,
          asked: undefined,
          endedAt: null,
          counts: { fencedWrites: 1, takeovers: 2, handedOver: 3 },
        },
      ]);
      expect((await find())[0]?.leaseMs).toBeGreaterThan(0);
      await suite.store.endSessions([session], 'transfer');
      expect(await find()).toMatchObject([{ session, state: 'dead', busy: 0, endedReason: 'transfer', endedAt: expect.any(Number) }]);
      const next = await suite.store.openSession(node, TTL_MS, 'drain');
      expect(await find()).toMatchObject([{ session: next, state: 'live', asked: 'drain' }]);
    });

    it('steerNode asks every session of the node that is alive, and is recorded', async () => {
      const node = describeNode();
      expect(await suite.store.operations.steerNode(node.nodeId, 'drain', AUTHOR)).toEqual([]);
      const session = await suite.store.openSession(node, TTL_MS);
      const asked = async () => (await suite.store.tick(session, TTL_MS, loadOf()))?.asked;
      for (const [wish, action] of [
        ['drain', 'node.drain'],
        ['stop', 'node.stop'],
        [undefined, 'node.resume'],
      ] as const) {
        expect(await suite.second.operations.steerNode(node.nodeId, wish, AUTHOR)).toEqual([session]);
        expect(await asked()).toBe(wish);
        expect(await newest()).toMatchObject({ ...AUTHOR, action, target: node.nodeId });
      }
    });

    it('I6: transferNode ends the sessions of a node that lives and hands on its orders; a dead one has none; an unknown is unknown', async () => {
      await clearQueue(suite.store);
      const node = describeNode();
      const session = await suite.store.openSession(node, TTL_MS);
      const orderId = await acceptOne(suite.store);
      await claimOne(suite.store, session, orderId);
      expect(await suite.second.operations.transferNode(node.nodeId, AUTHOR)).toEqual({
        outcome: 'transferred',
        sessions: [{ session, handedOver: 1 }],
      });
      expect(await lastEventOf(suite.store, orderId)).toMatchObject({ kind: 'handed_over', sessionId: session, fence: 2 });
      expect(await suite.store.tick(session, TTL_MS, loadOf())).toBeUndefined();
      expect(await newest()).toMatchObject({ ...AUTHOR, action: 'node.transfer', target: node.nodeId });
      expect(await suite.store.operations.transferNode(node.nodeId, AUTHOR)).toEqual({ outcome: 'transferred', sessions: [] });
      expect(await suite.store.operations.transferNode(randomUUID(), AUTHOR)).toEqual({ outcome: 'unknown' });
    });

    const retry = (orderId: string, customerId?: string): Promise<RetryVerdict> =>
      suite.store.operations.retryOrder({
        ...{ orderId, customerId, newOrderId: newOrderId(1, systemClock.now(), systemClock.entropy()) },
        ...{ workflow: ORDER_WORKFLOW.name, workflowVersion: ORDER_WORKFLOW.version, ...AUTHOR },
      });

    it('I2 I12: an ended order has one retry, however often it is asked for, and stays ended', async () => {
      const content = { symbol: 'ABC', quantity: 3, tracking_id: randomUUID() };
      const orderId = await acceptOne(suite.store, { content });
      expect(await retry(orderId)).toEqual({ outcome: 'refused', status: 'queued' });
      await suite.store.cancelOrder({ orderId, customerId: undefined, ...AUTHOR });
      expect(await retry(orderId, 'someone else')).toEqual({ outcome: 'unknown' });
      const verdicts = await Promise.all(Array.from({ length: 50 }, () => retry(orderId, 'user')));
      expect(verdicts.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      const ids = new Set(verdicts.map((verdict) => ('orderId' in verdict ? verdict.orderId : '')));
      expect(ids.size).toBe(1);
      const [retried = ''] = ids;
      const { order, events } = await readOne(suite.second, retried);
      expect(order).toMatchObject({
        state: 'queued',
        step: 1,
        fence: 0,
        version: 1,
        retryOf: orderId,
        customerId: 'user',
        content,
        crashCount: 0,
      });
      expect(events).toMatchObject([{ kind: 'accepted', version: 1, data: { retry_of: orderId, actor: AUTHOR.actor } }]);
      expect(await newest()).toMatchObject({ ...AUTHOR, action: 'order.retry', target: orderId, detail: { order_id: retried } });
      expect((await readOne(suite.store, orderId)).order.state).toBe('cancelled');
      const session = await openSession();
      await completeOrder(suite.store, session, retried);
      expect(await retry(retried)).toEqual({ outcome: 'refused', status: 'completed' });
      expect(await retry(randomUUID())).toEqual({ outcome: 'unknown' });
    });

    const quarantined = async (): Promise<string> => {
      const session = await openSession();
      const orderId = await acceptOne(suite.store);
      const claimed = await claimOne(suite.store, session, orderId);
      const data = { error: { code: 'quarantined', message: 'it kills' } };
      await advanceOne(suite.store, session, { ...closingOf(claimed, 'attention_needed', 'needs_attention'), data });
      return orderId;
    };

    it('I15: a quarantined order is released where it stood, or cancelled, which undoes it', async () => {
      const released = await quarantined();
      expect((await readOne(suite.store, released)).order.state).toBe('needs_attention');
      expect(await suite.store.operations.releaseOrder(released, AUTHOR)).toEqual({ outcome: 'released' });
      expect(await kindsOf(suite.store, released)).toEqual(['accepted', 'claimed', 'attention_needed', 'released']);
      expect((await readOne(suite.store, released)).order).toMatchObject({ state: 'queued', step: 1, direction: 'forward', version: 4 });
      expect(await newest()).toMatchObject({ ...AUTHOR, action: 'order.release', target: released });
      expect(await suite.store.operations.releaseOrder(released, AUTHOR)).toEqual({ outcome: 'refused', status: 'queued' });
      expect(await suite.store.operations.releaseOrder(randomUUID(), AUTHOR)).toEqual({ outcome: 'unknown' });

      const cancelled = await quarantined();
      expect(await suite.store.cancelOrder({ orderId: cancelled, customerId: undefined, ...AUTHOR })).toEqual({ outcome: 'requested' });
      expect(await kindsOf(suite.store, cancelled)).toEqual(['accepted', 'claimed', 'attention_needed', 'released', 'cancel_started']);
      const session = await openSession();
      expect(await claimOne(suite.store, session, cancelled)).toMatchObject({ step: 1, direction: 'rollback', cancelRequested: true });
    });

    it('listInterventions pages newest first, and holds whatever text was given', async () => {
      const target = `token ${randomUUID()}`;
      for (const action of ['a', 'b', 'c']) await suite.second.operations.recordIntervention(action, target, AUTHOR);
      const [first, second] = await suite.store.operations.listInterventions({ limit: 2 });
      expect([first, second]).toMatchObject([{ action: 'c', target, ...AUTHOR, detail: null }, { action: 'b' }]);
      const rest = await suite.store.operations.listInterventions({ limit: 1, beforeId: second?.id ?? '' });
      expect(rest).toMatchObject([{ action: 'a', target }]);
      await suite.store.operations.recordIntervention('d', target, { actor: 'x', reason: undefined });
      expect(await newest()).toMatchObject({ action: 'd', reason: null });
    });
  });
}
