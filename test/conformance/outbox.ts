import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { comparePlaces, type OutboxEvent, type OutboxPlace } from '#engine/outbox.ts';
import type { Suite } from './store-conformance.ts';
import { acceptOne, claimOne, completeOrder, completeSteps, describeNode, newOrder, readOne, TTL_MS } from './support.ts';

export function describeOutbox(suite: Suite): void {
  describe('the outbox', () => {
    /** Everything after the place, until there is nothing more. */
    async function readAll(from: OutboxPlace, limit: number): Promise<{ events: OutboxEvent[]; place: OutboxPlace }> {
      const events: OutboxEvent[] = [];
      let place = from;
      for (let pages = 0; pages < 1_000; pages += 1) {
        const page = await suite.second.outbox.readOutbox(place, { limit, spanMs: 3_600_000 });
        events.push(...page.events);
        place = page.next;
        if (page.isCaughtUp) return { events, place };
      }
      throw new Error('the outbox has no end');
    }
    const begin = async (): Promise<OutboxPlace> => (await readAll(await suite.store.outbox.readPlace(randomUUID()), 1_000)).place;

    it.each([1, 3, 1_000])('I13: tells every event once, those of an order in their order, in pages of %i', async (limit) => {
      const from = await begin();
      const session = await suite.store.openSession(describeNode(), TTL_MS);
      const ids: string[] = [];
      for (let count = 0; count < 5; count += 1) {
        ids.push(await acceptOne(suite.store, { content: { symbol: `s${count}` } }));
        await completeOrder(suite.store, session, ids.at(-1) as string);
      }
      const { events, place } = await readAll(from, limit);
      for (const [index, orderId] of ids.entries()) {
        const own = events.filter(({ event }) => event.orderId === orderId);
        expect(own.map(({ event }) => event.version)).toEqual([1, 2, 3, 4, 5, 6]);
        expect(own.map(({ event }) => event)).toEqual((await readOne(suite.store, orderId)).events);
        expect(own[0]).toMatchObject({ content: { symbol: `s${index}` }, stepName: 'Scheduling' });
        expect(own.at(-1)?.stepName).toBe('Post-Processing');
      }
      expect((await readAll(place, limit)).events).toEqual([]);
    });

    it('I13: what is written by many at once is all told', async () => {
      const from = await begin();
      const batches = Array.from({ length: 20 }, () => Array.from({ length: 10 }, () => newOrder()));
      let told: OutboxEvent[] = [];
      const writing = Promise.all(batches.map((batch, index) => [suite.store, suite.second][index % 2]?.acceptOrders(batch)));
      const early = await suite.store.outbox.readOutbox(from, { limit: 1_000, spanMs: 3_600_000 });
      await writing;
      told = [...early.events, ...(await readAll(early.next, 50)).events];
      const expected = batches.flat().map(({ orderId }) => orderId);
      expect(told.map(({ event }) => event.orderId).sort()).toEqual(expected.sort());
    });

    it('I13: from now on tells what comes later, all of it, with who wrote it; after an event it goes on behind it', async () => {
      await acceptOne(suite.store);
      const now = await suite.store.outbox.readNow();
      const node = describeNode();
      const session = await suite.store.openSession(node, TTL_MS);
      const orderId = await acceptOne(suite.store);
      await completeOrder(suite.store, session, orderId);
      const { events } = await readAll(now, 100);
      expect(events.filter(({ event }) => event.kind === 'accepted').map(({ event }) => event.orderId)).toEqual([orderId]);
      const own = events.filter(({ event }) => event.orderId === orderId);
      expect(own.map(({ event }) => event.version)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(own.map(({ nodeId }) => nodeId)).toEqual([undefined, ...Array.from({ length: 5 }, () => node.nodeId)]);
      for (const [index, { place }] of own.entries()) {
        const rest = (await readAll(place, 20)).events.filter((told) => told.event.orderId === orderId);
        expect(rest.map(({ event }) => event.version)).toEqual([1, 2, 3, 4, 5, 6].slice(index + 1));
      }
    });

    it('places are in the order of their events', async () => {
      const from = await begin();
      await suite.store.acceptOrders(Array.from({ length: 20 }, () => newOrder()));
      const { events, place } = await readAll(from, 7);
      const places = [from, ...events.map((told) => told.place), place];
      for (const [index, later] of places.entries()) {
        expect(comparePlaces(later, later)).toBe(0);
        for (const before of places.slice(0, index)) expect(comparePlaces(before, later)).toBeLessThanOrEqual(0);
      }
    });

    it('a place is kept for its reader, and only for who has the lease', async () => {
      const [name, lease] = [`reader ${randomUUID()}`, { name: `lease ${randomUUID()}`, holder: 'me' }];
      expect(await suite.store.outbox.readLag(name)).toBeUndefined();
      const session = await suite.store.openSession(describeNode(), TTL_MS);
      const orderId = await acceptOne(suite.store);
      const page = await suite.store.outbox.readOutbox(await begin(), { limit: 10, spanMs: 3_600_000 });
      expect(await suite.store.outbox.savePlace(name, page.next, lease)).toBe(false);
      await suite.store.peers.takeLease({ ...lease, ttlMs: 60_000, detail: null });
      expect(await suite.store.outbox.savePlace(name, page.next, { ...lease, holder: 'another' })).toBe(false);
      expect(await suite.store.outbox.savePlace(name, page.next, lease)).toBe(true);
      expect(await suite.second.outbox.readPlace(name)).toEqual(page.next);
      expect(await suite.store.outbox.readLag(name)).toBe(0);
      await completeSteps(suite.store, session, await claimOne(suite.store, session, orderId), 1);
      expect(await suite.store.outbox.readLag(name)).toBeGreaterThanOrEqual(0);
      const { events } = await readAll(await suite.store.outbox.readPlace(name), 10);
      expect(events.filter(({ event }) => event.orderId === orderId).map(({ event }) => event.kind)).toEqual(['claimed', 'step_completed']);
    });
  });
}
