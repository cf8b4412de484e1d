import { describe, expect, it } from 'vitest';
import { newOrderId } from '#domain/ids.ts';
import type { BulkPart, BulkProgress, NewBulkPart } from '#engine/bulk-store.ts';
import { systemClock } from '#engine/clock.ts';
import type { Suite } from './store-conformance.ts';
import { acceptOne, readOne } from './support.ts';

let lastMoment = 0;

/** Greater than every one made here before. */
function newId(): string {
  lastMoment = Math.max(systemClock.now(), lastMoment + 1);
  return newOrderId(0, lastMoment, systemClock.entropy());
}

function newPart(changes: Partial<NewBulkPart> = {}): NewBulkPart {
  return {
    ...{ bulkId: newId(), action: 'cancel', filter: { region: `Hà "Nội'` }, warehouses: ['HCM', 'HN'], pace: 50, share: 0.25 },
    ...{ actor: 'ann', reason: undefined, matching: 7, isMore: false },
    ...changes,
  };
}

const NOTHING = { succeeded: 0, refused: 0, failed: 0 };

export function describeBulk(suite: Suite): void {
  const begin = async (changes: Partial<NewBulkPart> = {}): Promise<NewBulkPart> => {
    const part = newPart(changes);
    await suite.store.bulk.begin(part, newId());
    return part;
  };
  const find = async (bulkId: string): Promise<BulkPart | undefined> => (await suite.second.bulk.find([bulkId]))[0];
  const advance = (bulkId: string, progress: Partial<BulkProgress>): Promise<BulkPart | undefined> =>
    suite.store.bulk.advance(bulkId, { from: null, to: null, counts: NOTHING, batch: [], isDone: false, ...progress });
  /** By what was done: several may fall into the same millisecond. */
  const auditOf = async (bulkId: string): Promise<unknown[]> =>
    (await suite.store.operations.listInterventions({ limit: 200 }))
      .filter(({ target }) => target === bulkId)
      .map(({ action, actor, reason, detail }) => ({ action, actor, reason, detail }))
      .sort((one, other) => (one.action < other.action ? -1 : 1));

  describe('a part of a bulk operation', () => {
    it('is kept as it was begun, and told of in the audit; begun again it stays as it is', async () => {
      const earliest = (await readOne(suite.store, await acceptOne(suite.store))).order.acceptedAt;
      const part = await begin({ reason: 'the bank was down' });
      const kept = await find(part.bulkId);
      expect(kept).toEqual({
        ...part,
        ...{ startedAt: expect.any(Number), state: 'running', endedAt: null, stoppedBy: null, beforeId: null, batch: [], counts: NOTHING },
      });
      expect(kept?.startedAt).toBeGreaterThanOrEqual(earliest);
      await suite.second.bulk.begin({ ...part, pace: 1, actor: 'bob' }, newId());
      expect(await find(part.bulkId)).toEqual(kept);
      expect(await auditOf(part.bulkId)).toEqual([
        { action: 'bulk.cancel', actor: 'ann', reason: 'the bank was down', detail: { filter: part.filter, pace: 50 } },
      ]);
    });

    it('goes on from where it stands, and counts what was done once', async () => {
      const { bulkId } = await begin({ action: 'retry' });
      const ids = [newId(), newId(), newId()].reverse() as [string, string, string];
      expect(await advance(bulkId, { batch: ids })).toMatchObject({ beforeId: null, batch: ids, counts: NOTHING });
      const counts = { succeeded: 1, refused: 1, failed: 1 };
      expect(await advance(bulkId, { to: ids[2], counts })).toMatchObject({ beforeId: ids[2], batch: [], counts, state: 'running' });
      expect(await advance(bulkId, { to: ids[2], counts })).toBeUndefined();
      expect(await suite.second.bulk.advance(bulkId, { from: ids[1], to: newId(), counts, batch: [], isDone: true })).toBeUndefined();
      expect(await find(bulkId)).toMatchObject({ beforeId: ids[2], counts, state: 'running', endedAt: null });
      const more = { succeeded: 2, refused: 0, failed: 0 };
      const done = await advance(bulkId, { from: ids[2], to: ids[2], counts: more, isDone: true });
      expect(done).toMatchObject({ state: 'done', endedAt: expect.any(Number), counts: { succeeded: 3, refused: 1, failed: 1 } });
      expect(await find(bulkId)).toEqual(done);
      expect(await auditOf(bulkId)).toMatchObject([
        { action: 'bulk.done', actor: 'ann', reason: null, detail: { succeeded: 3, refused: 1, failed: 1 } },
        { action: 'bulk.retry', actor: 'ann' },
      ]);
    });

    it('is stopped by whoever says so first; what was under way is still counted', async () => {
      const { bulkId } = await begin();
      await advance(bulkId, { batch: [newId()] });
      await suite.second.bulk.stop(bulkId, { actor: 'bob', reason: 'wrong region' }, newId());
      await suite.store.bulk.stop(bulkId, { actor: 'eve', reason: undefined }, newId());
      expect(await find(bulkId)).toMatchObject({ state: 'stopped', stoppedBy: 'bob', endedAt: expect.any(Number) });
      const last = newId();
      const counts = { succeeded: 4, refused: 0, failed: 0 };
      expect(await advance(bulkId, { to: last, counts, batch: [newId()], isDone: true })).toMatchObject({
        ...{ state: 'stopped', stoppedBy: 'bob', counts, beforeId: last, batch: [] },
      });
      expect(await auditOf(bulkId)).toMatchObject([
        { action: 'bulk.cancel', actor: 'ann' },
        { action: 'bulk.stop', actor: 'bob', reason: 'wrong region' },
      ]);
    });

    it('that is done stays done, and remembers who stopped the others', async () => {
      const { bulkId } = await begin();
      const done = await advance(bulkId, { isDone: true });
      await suite.store.bulk.stop(bulkId, { actor: 'bob', reason: undefined }, newId());
      expect(await find(bulkId)).toEqual({ ...done, stoppedBy: 'bob' });
      await advance(bulkId, { isDone: true });
      expect(await auditOf(bulkId)).toMatchObject([{ action: 'bulk.cancel' }, { action: 'bulk.done' }]);
    });

    it('another warehouse told to stop is not written into the audit again', async () => {
      const { bulkId } = await begin();
      await suite.store.bulk.stop(bulkId, { actor: 'bob', reason: undefined });
      expect(await find(bulkId)).toMatchObject({ state: 'stopped', stoppedBy: 'bob' });
      expect(await auditOf(bulkId)).toHaveLength(1);
    });

    it('nobody knows of an operation that was not begun here', async () => {
      const bulkId = newId();
      await suite.store.bulk.stop(bulkId, { actor: 'bob', reason: undefined }, newId());
      expect(await advance(bulkId, {})).toBeUndefined();
      expect(await find(bulkId)).toBeUndefined();
      expect(await suite.store.bulk.find([])).toEqual([]);
    });

    it('is listed, newest first; the pulse and the list of what runs tell of those with work to do', async () => {
      for (const { bulkId } of await suite.store.bulk.listRunning())
        await suite.store.bulk.stop(bulkId, { actor: 'ann', reason: undefined });
      const [first, second, third] = [await begin(), await begin(), await begin()];
      await suite.store.bulk.stop(second.bulkId, { actor: 'ann', reason: undefined });
      const idsOf = (parts: BulkPart[]): string[] => parts.map(({ bulkId }) => bulkId);
      expect(idsOf(await suite.second.bulk.list({ limit: 2 }))).toEqual([third.bulkId, second.bulkId]);
      expect(idsOf(await suite.second.bulk.list({ limit: 1, beforeId: second.bulkId }))).toEqual([first.bulkId]);
      expect(idsOf(await suite.second.bulk.listRunning())).toEqual([first.bulkId, third.bulkId]);
      expect((await suite.second.peers.readPulse()).runningBulks).toBe(2);
      expect(idsOf(await suite.second.bulk.find([third.bulkId, newId(), first.bulkId])).sort()).toEqual([first.bulkId, third.bulkId]);
    });
  });
}
