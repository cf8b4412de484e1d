import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Hint, NewOrder, Store, Subscription } from '#engine/store.ts';
import type { Suite } from './store-conformance.ts';
import { acceptOne, bodyOf, claimOne, describeNode, freshKey, loadOf, newOrder, TTL_MS } from './support.ts';

export function describeHints(suite: Suite): void {
  describe('wakeNodes and attendSession', () => {
    const opened: { store: Store; session: number; subscription: Subscription }[] = [];
    beforeEach(() => opened.splice(0));
    afterEach(async () => {
      for (const { store, session, subscription } of opened) {
        await subscription.close();
        await store.endSessions([session], 'left');
      }
    });

    /** A listening node; its hints begin to count once it listens. */
    async function listen(store: Store, slots: number, busy = 0): Promise<{ session: number; hints: Hint[]; subscription: Subscription }> {
      const session = await store.openSession(describeNode({ slots }), TTL_MS);
      await store.tick(session, TTL_MS, loadOf({ busy }));
      const hints: Hint[] = [];
      const subscription = await store.attendSession(session, { onHint: (hint) => hints.push(hint), onLiveness: () => undefined });
      opened.push({ store, session, subscription });
      await vi.waitFor(() => expect(hints).toContain('work'));
      hints.length = 0;
      return { session, hints, subscription };
    }

    it('hints to as many nodes as the orders need, the freest first', async () => {
      const full = await listen(suite.store, 5, 5);
      const free = await listen(suite.store, 50);
      const some = await listen(suite.second, 20, 10);
      await suite.second.wakeNodes(50);
      await vi.waitFor(() => expect(free.hints).toEqual(['work']));
      await suite.store.wakeNodes(51);
      await vi.waitFor(() => expect(some.hints).toEqual(['work']));
      await vi.waitFor(() => expect(free.hints).toEqual(['work', 'work']));
      expect(full.hints).toEqual([]);
    });

    it.each([
      ['without keys', (): NewOrder => newOrder()],
      ['with a key', (): NewOrder => newOrder({ keys: [freshKey()], bodyHash: bodyOf('a') })],
    ])('hints of new orders %s as they are accepted, one after the other and many at once', async (_, orderOf) => {
      const [free, some] = [await listen(suite.store, 50), await listen(suite.second, 20)];
      await suite.second.acceptOrders([orderOf()], { hint: true });
      await vi.waitFor(() => expect(free.hints).toEqual(['work']));
      await suite.second.acceptOrders([orderOf()], { hint: true });
      await vi.waitFor(() => expect(free.hints).toEqual(['work', 'work']));
      expect(some.hints).toEqual([]);
      await suite.second.acceptOrders(Array.from({ length: 51 }, orderOf), { hint: true });
      await vi.waitFor(() => expect(some.hints).toEqual(['work']));
    });

    it('hints of no order that was accepted before, or without being asked to', async () => {
      const { hints } = await listen(suite.store, 50);
      const order = newOrder({ keys: [freshKey()], bodyHash: bodyOf('a') });
      await suite.store.acceptOrders([order]);
      expect(await suite.store.acceptOrders([{ ...order, orderId: newOrder().orderId }], { hint: true })).toMatchObject([
        { outcome: 'existing' },
      ]);
      await suite.store.wakeNodes(1);
      await vi.waitFor(() => expect(hints).toEqual(['work']));
    });

    it('hints to no node that claims nothing', async () => {
      const [draining, expired, dead, live] = [
        await listen(suite.store, 90),
        await listen(suite.store, 80),
        await listen(suite.store, 70),
        await listen(suite.store, 5),
      ];
      await suite.store.tick(draining.session, TTL_MS, loadOf({ draining: true }));
      await suite.underTest.expireSession(expired.session);
      await suite.store.endSessions([dead.session], 'left');
      await suite.store.wakeNodes(1);
      await vi.waitFor(() => expect(live.hints).toEqual(['work']));
      expect([draining.hints, expired.hints, dead.hints]).toEqual([[], [], []]);
    });

    it('tells the owner of an order that someone wishes something of it', async () => {
      const { session, hints } = await listen(suite.store, 5);
      const orderId = await acceptOne(suite.store);
      await claimOne(suite.store, session, orderId);
      await suite.second.cancelOrder({ orderId, customerId: undefined, actor: 'op', reason: undefined });
      await vi.waitFor(() => expect(hints).toContain('wish'));
    });

    it('is quiet once closed', async () => {
      const closed = await listen(suite.store, 50);
      const open = await listen(suite.store, 5);
      await closed.subscription.close();
      await suite.store.wakeNodes(52);
      await vi.waitFor(() => expect(open.hints).toEqual(['work']));
      expect(closed.hints).toEqual([]);
    });
  });
}
