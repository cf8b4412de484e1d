import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndReason } from '#engine/store.ts';
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

const IDLE = loadOf();

export function describeSessions(suite: Suite): void {
  let session: number;
  beforeEach(async () => {
    session = await suite.store.openSession(describeNode(), TTL_MS);
    await clearQueue(suite.store);
  });

  describe('openSession and tick', () => {
    it('I6: session numbers only grow, whoever opens them', async () => {
      const second = await suite.second.openSession(describeNode(), TTL_MS);
      const third = await suite.store.openSession(describeNode(), TTL_MS);
      expect(second).toBeGreaterThan(session);
      expect(third).toBeGreaterThan(second);
    });

    it('a heartbeat moves the beat, and others see it', async () => {
      const other = await suite.second.openSession(describeNode(), TTL_MS);
      const beat = async (): Promise<number | undefined> =>
        (await suite.second.tick(other, TTL_MS, IDLE))?.sessions.find((row) => row.session === session)?.beat;
      const before = await beat();
      await suite.store.tick(session, TTL_MS, IDLE);
      expect(await beat()).toBe((before ?? 0) + 1);
      expect(await beat()).toBe((before ?? 0) + 1);
    });

    it('a heartbeat tells which leases have run out, and renews its own', async () => {
      const other = await suite.second.openSession(describeNode(), TTL_MS);
      const seen = async () => (await suite.second.tick(other, TTL_MS, IDLE))?.sessions.find((row) => row.session === session);
      expect((await seen())?.expired).toBe(false);
      await suite.underTest.expireSession(session);
      expect((await seen())?.expired).toBe(true);
      expect(await suite.store.tick(session, TTL_MS, IDLE)).toBeDefined();
      expect((await seen())?.expired).toBe(false);
    });

    it('lists every session that is not dead, itself included, and none that is', async () => {
      const other = await suite.store.openSession(describeNode(), TTL_MS);
      const list = async () => (await suite.store.tick(session, TTL_MS, IDLE))?.sessions.map((row) => row.session);
      expect(await list()).toEqual(expect.arrayContaining([session, other]));
      await suite.store.endSessions([other], 'left');
      expect(await list()).not.toContain(other);
    });

    it('I6: a dead session gets no answer and never comes back', async () => {
      await suite.store.endSessions([session], 'transfer');
      expect(await suite.store.tick(session, TTL_MS, IDLE)).toBeUndefined();
      expect(await suite.store.tick(999_999_999, TTL_MS, IDLE)).toBeUndefined();
    });

    it('says whether work is due and which orders someone wants cancelled', async () => {
      expect(await suite.store.tick(session, TTL_MS, IDLE)).toMatchObject({ workDue: false, cancelRequests: [] });
      const orderId = await acceptOne(suite.store);
      expect(await suite.store.tick(session, TTL_MS, IDLE)).toMatchObject({ workDue: true, cancelRequests: [] });
      await claimOne(suite.store, session, orderId);
      await suite.second.cancelOrder({ orderId, customerId: 'user', actor: 'user', reason: undefined });
      expect(await suite.store.tick(session, TTL_MS, IDLE)).toMatchObject({ workDue: false, cancelRequests: [orderId] });
    });

    it('the database keeps its epoch', async () => {
      const first = await suite.store.tick(session, TTL_MS, IDLE);
      expect(first?.databaseEpoch).not.toBe('');
      expect((await suite.second.tick(session, TTL_MS, IDLE))?.databaseEpoch).toBe(first?.databaseEpoch);
    });
  });

  describe('endSessions', () => {
    it.each<[EndReason, string]>([
      ['expired', 'handed_over'],
      ['transfer', 'handed_over'],
      ['left', 'handed_back'],
    ])('I4, I5, I8: %s gives every order back where it stood (%s)', async (reason, kind) => {
      const ids = [await acceptOne(suite.store), await acceptOne(suite.store)] as const;
      const claimed = await suite.store.claimOrders(session, 10);
      await completeSteps(suite.store, session, claimed[0] as (typeof claimed)[number], 2);
      if (reason === 'expired') await suite.underTest.expireSession(session);
      expect(await suite.second.endSessions([session], reason)).toEqual([{ session, handedOver: 2 }]);
      expect(await lastEventOf(suite.store, ids[0])).toMatchObject({
        ...{ kind, version: 5, step: 3, direction: 'forward', sessionId: session, fence: 2, data: null },
      });
      expect((await readOne(suite.store, ids[0])).order).toMatchObject({
        ...{ state: 'queued', step: 3, direction: 'forward', ownerSession: null, fence: 2, version: 5, endedAt: null },
      });
      expect((await readOne(suite.store, ids[1])).order).toMatchObject({ state: 'queued', step: 1, version: 3 });
      expect(await suite.store.readOwnedOrders(session)).toEqual([]);
    });

    it('I11: an order that is being undone goes on backwards', async () => {
      const claimed = await claimOne(suite.store, session, await acceptOne(suite.store));
      await completeSteps(suite.store, session, claimed, 2);
      await advanceOne(suite.store, session, moveOf(claimed, 'step_failed', { step: 3 }, 2));
      await advanceOne(suite.store, session, moveOf(claimed, 'step_undone', { step: 3, direction: 'rollback' }, 3));
      await suite.store.endSessions([session], 'transfer');
      expect((await readOne(suite.store, claimed.orderId)).order).toMatchObject({
        state: 'queued',
        step: 2,
        direction: 'rollback',
        version: 7,
      });
    });

    it('I6: expired needs a lease that has run out', async () => {
      const orderId = await acceptOne(suite.store);
      await claimOne(suite.store, session, orderId);
      expect(await suite.second.endSessions([session], 'expired')).toEqual([]);
      expect((await readOne(suite.store, orderId)).order.state).toBe('running');
      await suite.underTest.expireSession(session);
      await suite.store.tick(session, TTL_MS, IDLE);
      expect(await suite.second.endSessions([session], 'expired')).toEqual([]);
    });

    it('I6: ends a session once, also when several ask at once', async () => {
      const orderId = await acceptOne(suite.store);
      await claimOne(suite.store, session, orderId);
      const answers = await Promise.all([1, 2, 3, 4].map((n) => (n % 2 ? suite.store : suite.second).endSessions([session], 'transfer')));
      expect(answers.flat()).toEqual([{ session, handedOver: 1 }]);
      expect(await suite.store.endSessions([session, 999_999_999], 'transfer')).toEqual([]);
    });

    it('retries are kept while nothing was written since the claim, and forgotten after', async () => {
      const ids = [await acceptOne(suite.store), await acceptOne(suite.store)];
      for (const claimed of await suite.store.claimOrders(session, 10)) {
        await advanceOne(suite.store, session, closingOf(claimed, 'retry_scheduled', 'queued', { retries: 2 }));
      }
      const again = await suite.store.claimOrders(session, 10);
      expect(again.map(({ retries, attempt }) => [retries, attempt])).toEqual([
        [2, 2],
        [2, 2],
      ]);
      const [, moved] = again;
      await advanceOne(suite.store, session, moveOf(moved as (typeof again)[number], 'step_completed'));
      await suite.store.endSessions([session], 'transfer');
      const retries = async (orderId: string | undefined) => (await readOne(suite.store, orderId as string)).order.retries;
      expect(await retries(again[0]?.orderId)).toBe(2);
      expect(await retries(moved?.orderId)).toBe(0);
      expect(ids).toHaveLength(2);
    });

    it('I3, I6, I8: claims and an end at once lose no order and leave none to the dead', async () => {
      const orders = Array.from({ length: 60 }, () => newOrder());
      await suite.store.acceptOrders(orders);
      const claims = Promise.all(Array.from({ length: 6 }, () => suite.store.claimOrders(session, 10)));
      // A session that writes at this very moment may be passed over: whoever ends it asks again.
      await vi.waitFor(async () => expect(await suite.second.endSessions([session], 'transfer')).toHaveLength(1), { interval: 1 });
      await claims;
      const records = await suite.store.readOrders(orders.map(({ orderId }) => orderId));
      expect(records.map((record) => record?.order.state)).toEqual(orders.map(() => 'queued'));
      expect(await suite.store.readOwnedOrders(session)).toEqual([]);
    });
  });

  describe('readOwnedOrders', () => {
    it('I3: tells what the session owns as a claim does, after the moves that were written', async () => {
      const ids = [await acceptOne(suite.store), await acceptOne(suite.store)];
      const claimed = await suite.store.claimOrders(session, 10);
      const byId = (orders: typeof claimed) => [...orders].sort((a, b) => (a.orderId < b.orderId ? -1 : 1));
      expect(byId(await suite.second.readOwnedOrders(session))).toEqual(byId(claimed));
      const first = claimed[0] as (typeof claimed)[number];
      await completeSteps(suite.store, session, first, 1);
      await advanceOne(suite.store, session, closingOf(claimed[1] as typeof first, 'handed_back', 'queued'));
      const owned = await suite.store.readOwnedOrders(session);
      expect(owned).toHaveLength(1);
      expect(owned[0]).toMatchObject({ orderId: ids[0], step: 2, version: 3, fence: 1, attempt: 1, results: [{ step: 1 }] });
    });
  });

  describe('readLoad', () => {
    it('counts orders and the nodes that may claim', async () => {
      const before = await suite.store.readLoad();
      const orderId = await acceptOne(suite.store);
      await acceptOne(suite.store);
      expect((await suite.store.readLoad()).queued).toBe(before.queued + 2);
      await suite.store.claimOrders(session, 1);
      const node = await suite.store.openSession(describeNode({ slots: 7 }), TTL_MS);
      await suite.store.tick(node, TTL_MS, loadOf({ busy: 3 }));
      const load = await suite.store.readLoad();
      expect(load).toEqual({
        ...{ queued: before.queued + 1, running: before.running + 1, liveNodes: before.liveNodes + 1 },
        ...{ slots: before.slots + 7, busy: before.busy + 3 },
      });
      await suite.store.tick(node, TTL_MS, loadOf({ busy: 3, draining: true }));
      expect((await suite.store.readLoad()).liveNodes).toBe(before.liveNodes);
      await suite.underTest.expireSession(session);
      expect((await suite.store.readLoad()).liveNodes).toBe(before.liveNodes - 1);
      expect((await readOne(suite.store, orderId)).order.state).toBe('running');
    });
  });
}
