import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batcher, type BatcherOptions } from './batcher.ts';

/** A flush whose batches wait until they are let go. */
function gated(changes: Partial<BatcherOptions<number, number>> = {}) {
  const batches: number[][] = [];
  const gates: (() => void)[] = [];
  const began: (() => void)[] = [];
  const flush = async (items: number[]): Promise<number[]> => {
    batches.push(items);
    began.shift()?.();
    await new Promise<void>((resolve) => gates.push(resolve));
    return items.map((item) => item * 10);
  };
  const batcher = new Batcher<number, number>({ flush, maxBatch: 100, maxInFlight: 1, maxWaiting: 1_000, ...changes });
  const nextBatch = (): Promise<void> => new Promise((resolve) => began.push(resolve));
  return { batcher, batches, nextBatch, release: () => gates.shift()?.() };
}

describe('the batcher', () => {
  it('writes what came in one turn as one batch, and answers each its own', async () => {
    const { batcher, batches, nextBatch, release } = gated();
    const begun = nextBatch();
    const answers = [1, 2, 3].map((item) => batcher.add(item));
    await begun;
    release();
    expect(await Promise.all(answers)).toEqual([10, 20, 30]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('writes a full batch at once, before the turn ends', async () => {
    const { batcher, batches, nextBatch, release } = gated({ maxBatch: 2 });
    const answers = [1, 2, 3].map((item) => batcher.add(item));
    expect(batches).toEqual([[1, 2]]);
    const second = nextBatch();
    release();
    await second;
    release();
    expect(await Promise.all(answers)).toEqual([10, 20, 30]);
  });

  it('gathers what comes while a batch is under way into the next', async () => {
    const { batcher, batches, nextBatch, release } = gated();
    const begun = nextBatch();
    const answers = [batcher.add(1)];
    await begun;
    answers.push(batcher.add(2), batcher.add(3));
    expect(batcher.waitingCount).toBe(2);
    const second = nextBatch();
    release();
    await second;
    release();
    expect(await Promise.all(answers)).toEqual([10, 20, 30]);
    expect(batches).toEqual([[1], [2, 3]]);
  });

  it('refuses more than may wait, and takes again once there is room', async () => {
    const { batcher, nextBatch, release } = gated({ maxWaiting: 2 });
    const begun = nextBatch();
    const answers = [batcher.add(1), batcher.add(2)];
    await expect(batcher.add(3)).rejects.toMatchObject({ code: 'overloaded' });
    await begun;
    answers.push(batcher.add(4));
    const second = nextBatch();
    release();
    await second;
    release();
    expect(await Promise.all(answers)).toEqual([10, 20, 40]);
  });

  it('fails a whole batch where no single item can be to blame', async () => {
    const flush = () => Promise.reject(new Error('connection lost'));
    const batcher = new Batcher<number, number>({ flush, maxBatch: 10, maxInFlight: 1, maxWaiting: 10, isItemFault: () => false });
    const settled = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(batcher.add(3)).rejects.toThrow('connection lost');
  });

  it('a flush that answers too little is an error, not a lost waiter', async () => {
    const batcher = new Batcher<number, number>({ flush: async () => [1], maxBatch: 10, maxInFlight: 1, maxWaiting: 10 });
    const settled = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('halves a batch until bad items stand alone, keeps its bounds, and never loses a waiter', async () => {
    const settings = fc.record({
      count: fc.integer({ min: 1, max: 60 }),
      bad: fc.uniqueArray(fc.nat(59), { maxLength: 6 }),
      maxBatch: fc.integer({ min: 1, max: 20 }),
      maxInFlight: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(settings, async ({ count, bad, maxBatch, maxInFlight }) => {
        let inFlight = 0;
        const flush = async (items: number[]): Promise<number[]> => {
          inFlight += 1;
          expect(inFlight).toBeLessThanOrEqual(maxInFlight);
          expect(items.length).toBeLessThanOrEqual(maxBatch);
          await new Promise((resolve) => setImmediate(resolve));
          inFlight -= 1;
          const found = items.find((item) => bad.includes(item));
          if (found !== undefined) throw new Error(`bad item ${found}`);
          return items.map((item) => item * 10);
        };
        const batcher = new Batcher<number, number>({ flush, maxBatch, maxInFlight, maxWaiting: 1_000, isItemFault: () => true });
        const settled = await Promise.allSettled(Array.from({ length: count }, (_, item) => batcher.add(item)));
        for (const [item, answer] of settled.entries()) {
          if (bad.includes(item)) expect(answer).toMatchObject({ status: 'rejected', reason: { message: `bad item ${item}` } });
          else expect(answer).toEqual({ status: 'fulfilled', value: item * 10 });
        }
      }),
    );
  });
});
