import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OrderRecord } from '#domain/order.ts';
import type { Position } from '#domain/order-state.ts';
import type { ClaimedOrder, MoveVerdict, NewOrder, OrderKey, OrderMove, Store } from '#engine/store.ts';
import { newOrder, ORDER_WORKFLOW, violationsOf } from '#test/orders.ts';
import { waitUntil } from '#test/processes.ts';

export interface OpenedStore {
  store: Store;
  /** Another opening of the same data: what a second process has. */
  second: Store;
  close(): Promise<void>;
}

const TTL_MS = 60_000;
const IDLE = { busy: 0, draining: false };
const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();

/** What every implementation of the store port must do. Numbers in titles are the invariants of src/engine/lease.ts. */
export function describeStore(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the store port on ${name}`, () => {
    let opened: OpenedStore;
    let store: Store;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
      await store.registerWorkflows([ORDER_WORKFLOW]);
    });
    afterAll(() => opened.close());

    const openSession = (ttlMs = TTL_MS, workflows = [{ name: 'order', version: 1 }]): Promise<number> =>
      store.openSession({ nodeId: randomUUID(), nodeName: 'test', slots: 50, version: 'test', host: 'here', pid: 1, workflows }, ttlMs);
    /** Takes whatever waits out of the way, so that a test meets its own orders only. */
    const drainQueue = async (): Promise<void> => {
      const session = await openSession();
      while ((await store.claimOrders(session, 500)).length > 0);
    };
    const acceptOne = async (changes: Partial<NewOrder> = {}): Promise<string> => {
      const [verdict] = await store.acceptOrders([newOrder(changes)]);
      expect(verdict?.outcome).toBe('created');
      return (verdict as { orderId: string }).orderId;
    };
    const claimNew = async (session: number, changes: Partial<NewOrder> = {}): Promise<ClaimedOrder> => {
      await drainQueue();
      await acceptOne(changes);
      const [order] = await store.claimOrders(session, 1);
      return order as ClaimedOrder;
    };
    const moveOf = (order: ClaimedOrder, changes: Partial<OrderMove> = {}): OrderMove => {
      const { orderId, fence, version, step, direction } = order;
      return { orderId, fence, version: version + 1, kind: 'step_completed', step, direction, data: null, closing: undefined, ...changes };
    };
    const closingAt = (
      state: 'queued' | 'completed' | 'failed' | 'cancelled' | 'needs_attention',
      at: Position,
      delayMs = 0,
      retries = 0,
    ): OrderMove['closing'] => ({ state, at, retries, delayMs });
    const advance = async (session: number, move: OrderMove): Promise<MoveVerdict | undefined> =>
      (await store.advanceOrders(session, [move]))[0];
    const read = async (orderId: string): Promise<OrderRecord> => (await store.readOrders([orderId]))[0] as OrderRecord;
    const untilExpired = async (session: number): Promise<void> => {
      const watcher = await openSession();
      const isExpired = async (): Promise<boolean> =>
        (await store.tick(watcher, TTL_MS, IDLE))?.sessions.some((seen) => seen.session === session && seen.expired) ?? false;
      await waitUntil('the lease to run out', isExpired);
    };
    const first: Position = { step: 1, direction: 'forward' };

    describe('accepting', () => {
      it('I1 I4: stores an order with its first event', async () => {
        const order = newOrder({
          content: { customer_name: 'Zoë "Ω" \\ 🚚', detail: 'x'.repeat(64 * 1024), metadata: { 'a,b': ['{', null, 1.5, true] } },
        });
        const [verdict] = await store.acceptOrders([order]);
        expect(verdict).toMatchObject({ outcome: 'created', orderId: order.orderId });
        const record = await read(order.orderId);
        expect(record.order).toMatchObject({
          content: order.content,
          customerId: 'user',
          state: 'queued',
          version: 1,
          fence: 0,
          step: 1,
          workflow: 'order',
          workflowVersion: 1,
        });
        expect(record.events).toMatchObject([{ version: 1, kind: 'accepted', sessionId: null, data: null }]);
        expect(record.order.acceptedAt).toBe(record.events[0]?.at);
      });

      it('I2: one key, one order, also when many ask at once over two openings', async () => {
        const keys: OrderKey[] = [{ kind: 'header', key: randomUUID() }];
        const orders = Array.from({ length: 100 }, () => newOrder({ keys, bodyHash: hashOf('a') }));
        const half = orders.length / 2;
        const verdicts = (
          await Promise.all([
            ...chunks(orders.slice(0, half), 10).map((batch) => store.acceptOrders(batch)),
            ...chunks(orders.slice(half), 10).map((batch) => opened.second.acceptOrders(batch)),
          ])
        ).flat();
        expect(verdicts.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
        expect(verdicts.filter(({ outcome }) => outcome === 'existing')).toHaveLength(99);
        expect(new Set(verdicts.map((verdict) => 'orderId' in verdict && verdict.orderId)).size).toBe(1);
        expect((await store.readOrders(orders.map(({ orderId }) => orderId))).filter(Boolean)).toHaveLength(1);
      });

      it('I2: tells another body, keys that disagree, and another customer apart', async () => {
        const [a, b]: [OrderKey, OrderKey] = [
          { kind: 'header', key: randomUUID() },
          { kind: 'tracking', key: randomUUID() },
        ];
        const firstId = await acceptOne({ keys: [a], bodyHash: hashOf('1') });
        await acceptOne({ keys: [b], bodyHash: hashOf('1') });
        const verdicts = await store.acceptOrders([
          newOrder({ keys: [a], bodyHash: hashOf('2') }),
          newOrder({ keys: [a, b], bodyHash: hashOf('1') }),
          newOrder({ keys: [a], bodyHash: hashOf('1') }),
          newOrder({ keys: [a], bodyHash: hashOf('1'), customerId: 'another' }),
        ]);
        expect(verdicts.map(({ outcome }) => outcome)).toEqual(['other_body', 'keys_disagree', 'existing', 'created']);
        expect(verdicts[2]).toMatchObject({ orderId: firstId });
      });

      it('I2: an order with several keys is stored with all of them or not at all', async () => {
        const [taken, free]: [OrderKey, OrderKey] = [
          { kind: 'tracking', key: randomUUID() },
          { kind: 'header', key: randomUUID() },
        ];
        const owner = await acceptOne({ keys: [taken], bodyHash: hashOf('1') });
        const refused = newOrder({ keys: [free, taken], bodyHash: hashOf('2') });
        expect((await store.acceptOrders([refused]))[0]).toMatchObject({ outcome: 'other_body' });
        expect((await store.readOrders([refused.orderId]))[0]).toBeUndefined();
        const later = await acceptOne({ keys: [free], bodyHash: hashOf('3') });
        expect(later).not.toBe(owner);
      });
    });

    describe('claiming', () => {
      it('I3 I5: takes the oldest first, at most as many as asked for, and two never share', async () => {
        await drainQueue();
        const ids: string[] = [];
        for (let count = 0; count < 30; count += 1) ids.push(await acceptOne());
        const [a, b] = [await openSession(), await openSession()];
        const [one, two] = await Promise.all([store.claimOrders(a, 10), store.claimOrders(b, 10)]);
        expect(one.length).toBeLessThanOrEqual(10);
        expect(two.length).toBeLessThanOrEqual(10);
        const rest = await store.claimOrders(a, 100);
        const all = [...one, ...two, ...rest].map(({ orderId }) => orderId);
        expect(all.toSorted()).toEqual(ids.toSorted());
        const acceptedAt = new Map((await store.readOrders(ids)).map((record) => [record?.order.orderId, record?.order.acceptedAt]));
        const times = rest.map(({ orderId }) => acceptedAt.get(orderId));
        expect(times).toEqual(times.toSorted());
        expect(one[0]).toMatchObject({
          step: 1,
          direction: 'forward',
          fence: 1,
          version: 2,
          attempt: 1,
          retries: 0,
          results: [],
          cancelRequested: false,
        });
        const record = await read(one[0]?.orderId as string);
        expect(record.order).toMatchObject({ state: 'running', fence: 1, version: 2 });
        expect(record.events.at(-1)).toMatchObject({ kind: 'claimed', version: 2, sessionId: record.order.ownerSession, fence: 1 });
        expect(record.nodes.get(record.order.ownerSession as number)?.nodeName).toBe('test');
      });

      it('I6: a session that drains, is expired or dead, or does not know the workflow, claims nothing', async () => {
        await drainQueue();
        const orderId = await acceptOne();
        const [draining, expired, dead, stranger] = [
          await openSession(),
          await openSession(1),
          await openSession(),
          await openSession(TTL_MS, [{ name: 'order', version: 2 }]),
        ];
        await store.tick(draining, TTL_MS, { busy: 0, draining: true });
        await untilExpired(expired);
        await store.endSessions([dead], 'transfer');
        for (const session of [draining, expired, dead, stranger]) expect(await store.claimOrders(session, 10)).toEqual([]);
        expect((await read(orderId)).order.state).toBe('queued');
      });
    });

    describe('advancing', () => {
      it('I4 I7 I9 I10: carries an order to its end', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        for (const step of [1, 2, 3]) {
          const move = moveOf(order, { step, version: 2 + step, data: { result: { step } } });
          expect(await advance(session, move)).toBe('applied');
          expect(await advance(session, move)).toBe('replayed');
        }
        const end = moveOf(order, {
          kind: 'completed',
          step: 4,
          version: 6,
          closing: closingAt('completed', { step: 4, direction: 'forward' }),
        });
        expect(await advance(session, end)).toBe('applied');
        expect(await advance(session, end)).toBe('replayed');
        const record = await read(order.orderId);
        expect(record.order).toMatchObject({ state: 'completed', ownerSession: null, fence: 2, version: 6 });
        expect(record.order.endedAt).not.toBeNull();
        expect(violationsOf([record])).toEqual([]);
      });

      it('I6 I7: refuses what is not the session’s: wrong fence, wrong session, wrong version, dead session', async () => {
        const [session, other] = [await openSession(), await openSession()];
        const order = await claimNew(session);
        expect(await advance(session, moveOf(order, { fence: order.fence + 1 }))).toBe('fenced');
        expect(await advance(other, moveOf(order))).toBe('fenced');
        expect(await advance(session, moveOf(order, { version: 2 }))).toBe('fenced');
        await store.endSessions([session], 'transfer');
        expect(await advance(session, moveOf(order))).toBe('fenced');
        expect(await advance(session, moveOf(order, { kind: 'failed', direction: 'rollback', closing: closingAt('failed', first) }))).toBe(
          'fenced',
        );
        expect((await read(order.orderId)).events.map(({ kind }) => kind)).toEqual(['accepted', 'claimed', 'handed_over']);
      });

      it('answers each move of a batch by itself', async () => {
        const session = await openSession();
        const [a, b, c] = [await claimNew(session), await claimNew(session), await claimNew(session)];
        const verdicts = await store.advanceOrders(session, [
          moveOf(a),
          moveOf(b, { fence: 9 }),
          moveOf(c, { kind: 'retry_scheduled', closing: closingAt('queued', first) }),
        ]);
        expect(verdicts).toEqual(['applied', 'fenced', 'applied']);
      });

      it('puts an order off and brings it back with its position, results and retries', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        expect(await advance(session, moveOf(order, { data: { result: { n: 1 } } }))).toBe('applied');
        const at: Position = { step: 2, direction: 'forward' };
        const putOff = moveOf(order, {
          version: 4,
          kind: 'retry_scheduled',
          step: 2,
          data: { error: { code: 'x', message: 'y' } },
          closing: closingAt('queued', at, 0, 1),
        });
        expect(await advance(session, putOff)).toBe('applied');
        const [again] = await store.claimOrders(session, 1);
        expect(again).toMatchObject({ orderId: order.orderId, ...at, version: 5, fence: 3, retries: 1, attempt: 2, results: [{ n: 1 }] });
        const later = moveOf(again as ClaimedOrder, { kind: 'retry_scheduled', closing: closingAt('queued', at, 60_000, 2) });
        expect(await advance(session, later)).toBe('applied');
        expect(await store.claimOrders(session, 1)).toEqual([]);
        expect((await read(order.orderId)).order.nextRunAt).toBeGreaterThan((await read(order.orderId)).order.acceptedAt + 30_000);
      });

      it('I11 I15: rolls back, and stops visibly where an undo cannot succeed', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        await advance(session, moveOf(order));
        await advance(session, moveOf(order, { version: 4, step: 2, kind: 'step_failed', data: { error: { code: 'x', message: 'y' } } }));
        const back = { direction: 'rollback' as const };
        await advance(session, moveOf(order, { version: 5, step: 2, kind: 'step_undone', ...back }));
        expect(await store.readOwnedOrders(session)).toMatchObject([
          { orderId: order.orderId, step: 1, ...back, version: 5, brokenStep: { step: 2, outcome: 'failed' } },
        ]);
        const stop = moveOf(order, {
          version: 6,
          step: 1,
          kind: 'attention_needed',
          ...back,
          closing: closingAt('needs_attention', { step: 1, ...back }),
        });
        expect(await advance(session, stop)).toBe('applied');
        expect((await read(order.orderId)).order).toMatchObject({ state: 'needs_attention', ownerSession: null });
      });
    });

    describe('ending sessions', () => {
      it('I3 I4 I5 I8: an expired session’s orders go on where they stood', async () => {
        const session = await openSession(1);
        const healthy = await openSession();
        await drainQueue();
        await store.tick(session, TTL_MS, IDLE);
        await acceptOne();
        const [order] = (await store.claimOrders(session, 1)) as [ClaimedOrder];
        await advance(session, moveOf(order, { data: { result: 7 } }));
        expect(await store.endSessions([session, healthy], 'expired')).toEqual([]);
        await store.tick(session, 1, IDLE);
        await untilExpired(session);
        expect(await store.endSessions([session, healthy], 'expired')).toEqual([{ session, handedOver: 1 }]);
        expect(await store.endSessions([session], 'expired')).toEqual([]);
        expect(await store.tick(session, TTL_MS, IDLE)).toBeUndefined();
        const [next] = await store.claimOrders(healthy, 1);
        expect(next).toMatchObject({
          orderId: order.orderId,
          step: 2,
          direction: 'forward',
          fence: 3,
          version: 5,
          attempt: 2,
          results: [7],
        });
        expect((await read(order.orderId)).events.map(({ kind }) => kind)).toEqual([
          'accepted',
          'claimed',
          'step_completed',
          'handed_over',
          'claimed',
        ]);
      });

      it('a node that leaves hands its orders back', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        expect(await store.endSessions([session], 'left')).toEqual([{ session, handedOver: 1 }]);
        expect((await read(order.orderId)).events.at(-1)).toMatchObject({ kind: 'handed_back', sessionId: session, fence: 2 });
      });
    });

    describe('cancelling', () => {
      const cancel = (orderId: string, customerId?: string) => store.cancelOrder({ orderId, customerId, actor: 'ada', reason: 'no more' });

      it('ends an order that never began, once, with its author', async () => {
        const orderId = await acceptOne();
        expect(await cancel(orderId, 'another')).toEqual({ outcome: 'unknown' });
        expect(await cancel(randomUUID())).toEqual({ outcome: 'unknown' });
        expect(await cancel(orderId, 'user')).toEqual({ outcome: 'cancelled' });
        expect(await cancel(orderId)).toEqual({ outcome: 'refused', status: 'cancelled' });
        const record = await read(orderId);
        expect(record.events.at(-1)).toMatchObject({ kind: 'cancelled', data: { actor: 'ada', reason: 'no more' } });
        expect(violationsOf([record])).toEqual([]);
      });

      it('asks the owner of one that runs, and does not let it complete', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        expect(await cancel(order.orderId)).toEqual({ outcome: 'requested' });
        expect(await cancel(order.orderId)).toEqual({ outcome: 'requested' });
        expect((await store.tick(session, TTL_MS, IDLE))?.cancelRequests).toEqual([order.orderId]);
        const end = moveOf(order, { kind: 'completed', closing: closingAt('completed', first) });
        expect(await advance(session, end)).toBe('cancel_requested');
        expect(await advance(session, moveOf(order, { kind: 'cancel_started' }))).toBe('applied');
        const undone = moveOf(order, {
          version: 4,
          kind: 'cancelled',
          direction: 'rollback',
          closing: closingAt('cancelled', { step: 1, direction: 'rollback' }),
        });
        expect(await advance(session, undone)).toBe('applied');
        expect(violationsOf([await read(order.orderId)])).toEqual([]);
      });

      it('has one that waits in the middle undone by whoever claims it next', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        await advance(session, moveOf(order, { kind: 'retry_scheduled', closing: closingAt('queued', first, 60_000, 1) }));
        expect(await cancel(order.orderId)).toEqual({ outcome: 'requested' });
        const [claimed] = await store.claimOrders(session, 1);
        expect(claimed).toMatchObject({
          orderId: order.orderId,
          step: 1,
          direction: 'rollback',
          cancelRequested: true,
          brokenStep: { step: 1, outcome: 'unknown' },
        });
      });

      it('is refused for an order that is being undone already', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        await advance(session, moveOf(order, { kind: 'step_failed' }));
        expect(await cancel(order.orderId)).toEqual({ outcome: 'refused', status: 'rolling_back' });
      });
    });

    describe('reading', () => {
      it('lists by every filter, newest first, page by page', async () => {
        const customerId = randomUUID();
        const session = await openSession();
        await drainQueue();
        const ids: string[] = [];
        for (const region of ['HCM', 'HN', 'HCM'])
          ids.push(await acceptOne({ customerId, content: { region, customer_name: `of ${region}` } }));
        const [running] = (await store.claimOrders(session, 1)) as [ClaimedOrder];
        await advance(session, moveOf(running));
        const list = async (filter: object): Promise<string[]> =>
          (await store.listOrders({ customerId, limit: 10, ...filter })).map(({ order }) => order.orderId);
        const newest = ids.toSorted().reverse();
        expect(await list({})).toEqual(newest);
        expect(await list({ limit: 2 })).toEqual(newest.slice(0, 2));
        expect(await list({ limit: 2, beforeId: newest[1] as string })).toEqual(newest.slice(2));
        expect(await list({ region: 'HN' })).toEqual([ids[1]]);
        expect(await list({ customerName: 'of HN' })).toEqual([ids[1]]);
        expect(await list({ status: 'processing' })).toEqual([running.orderId]);
        expect(await list({ status: 'queued' })).toEqual(newest.filter((id) => id !== running.orderId));
        expect(await list({ step: 'Pre-Processing' })).toEqual([running.orderId]);
        const nodeId = (await read(running.orderId)).nodes.get(session)?.nodeId as string;
        expect(await list({ nodeId })).toEqual([running.orderId]);
        expect(await list({ nodeId: randomUUID() })).toEqual([]);
        const { acceptedAt } = (await read(ids[1] as string)).order;
        expect(await list({ since: acceptedAt + 60_000 })).toEqual([]);
        expect((await list({ until: acceptedAt + 60_000 })).length).toBe(3);
        await advance(session, moveOf(running, { version: 4, step: 2, kind: 'step_failed' }));
        expect(await list({ status: 'rolling_back' })).toEqual([running.orderId]);
        expect(await list({ status: 'processing' })).toEqual([]);
      });

      it('reads events after what a reader knows, and nothing of unknown orders', async () => {
        const session = await openSession();
        const order = await claimNew(session);
        const unknown = randomUUID();
        const answers = await store.readEventsAfter([
          { orderId: order.orderId, afterVersion: 1 },
          { orderId: unknown, afterVersion: 0 },
          { orderId: order.orderId, afterVersion: 2 },
        ]);
        expect(answers.map((events) => events.map(({ kind }) => kind))).toEqual([['claimed'], [], []]);
        expect(await store.readOrders([unknown])).toEqual([undefined]);
      });
    });

    it('wakes nodes with free slots, and says what is due', async () => {
      await drainQueue();
      const session = await openSession();
      const hinted = Promise.withResolvers<string>();
      const subscription = await store.listenForWork(session, (hint) => hinted.resolve(hint));
      expect((await store.tick(session, TTL_MS, IDLE))?.workDue).toBe(false);
      await acceptOne();
      expect((await store.tick(session, TTL_MS, IDLE))?.workDue).toBe(true);
      await store.wakeNodes(1_000);
      expect(await hinted.promise).toBe('work');
      await subscription.close();
      const load = await store.readLoad();
      expect(load.queued).toBeGreaterThan(0);
      expect(load.liveNodes).toBeGreaterThan(0);
    });

    it('keeps tokens by hash and forgets revoked ones', async () => {
      const [a, b] = [
        { tokenId: randomUUID(), hash: hashOf(randomUUID()), name: randomUUID(), role: 'customer' as const },
        { tokenId: randomUUID(), hash: hashOf(randomUUID()), name: randomUUID(), role: 'operator' as const },
      ];
      await store.tokens.create(a);
      await store.tokens.create(b);
      const found = await store.tokens.find([b.hash, hashOf('unknown'), a.hash]);
      expect(found.map((token) => token?.tokenId)).toEqual([b.tokenId, undefined, a.tokenId]);
      expect((await store.tokens.revoke(a.name)).map(({ tokenId }) => tokenId)).toEqual([a.tokenId]);
      expect((await store.tokens.revoke(b.tokenId)).map(({ tokenId }) => tokenId)).toEqual([b.tokenId]);
      expect(await store.tokens.revoke(a.name)).toEqual([]);
      expect(await store.tokens.find([a.hash, b.hash])).toEqual([undefined, undefined]);
      expect((await store.tokens.list()).filter(({ tokenId }) => tokenId === a.tokenId)).toMatchObject([{ revokedAt: expect.any(Number) }]);
    });

    it('refuses a workflow whose steps changed without a new version', async () => {
      await expect(store.registerWorkflows([{ ...ORDER_WORKFLOW, stepNames: ['Other'] }])).rejects.toThrow('steps');
      await store.registerWorkflows([ORDER_WORKFLOW, { ...ORDER_WORKFLOW, version: 2, stepNames: ['Other'] }]);
    });
  });
}

function chunks<Item>(items: Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
