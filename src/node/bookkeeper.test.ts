import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { Store } from '#engine/store.ts';
import { Bookkeeper } from './bookkeeper.ts';

type Answer = { dueInMs: number; tookMs?: number } | Error;

/** A store whose answers are given; without any it has counted everything, and the next bucket ends in ten seconds. */
function open(...answers: Answer[]) {
  const clock = new ManualClock();
  const warn = vi.fn();
  const rollUp = vi.fn(async (_: { maxBuckets: number }) => {
    const answer = answers.shift() ?? { dueInMs: 10_000 };
    if (answer instanceof Error) throw answer;
    clock.pass(answer.tookMs ?? 0);
    return { upto: 0, dueInMs: answer.dueInMs };
  });
  const keeper = new Bookkeeper({ store: { statistics: { rollUp } } as unknown as Store, session: 1, clock, log: { ...silentLog, warn } });
  const callsAfter = async (ms: number, isLeader = true): Promise<number> => {
    clock.pass(ms);
    keeper.follow(isLeader);
    await new Promise((resolve) => setImmediate(resolve));
    return rollUp.mock.calls.length;
  };
  const strides = (): number[] => rollUp.mock.calls.map(([{ maxBuckets }]) => maxBuckets);
  return { callsAfter, strides, warn };
}

describe('the bookkeeper', () => {
  it('counts at once where its node leads, and then when the next bucket is over', async () => {
    const { callsAfter } = open({ dueInMs: 4_000 });
    expect([await callsAfter(0, false), await callsAfter(0), await callsAfter(3_999), await callsAfter(1)]).toEqual([0, 1, 1, 2]);
    expect([await callsAfter(9_000), await callsAfter(1_000, false), await callsAfter(0)]).toEqual([2, 2, 3]);
  });

  it('never looks away for longer than a bucket, whatever the clocks say', async () => {
    const { callsAfter } = open({ dueInMs: 3_600_000 });
    expect([await callsAfter(0), await callsAfter(10_000)]).toEqual([1, 2]);
  });

  it('catches up in longer and longer strides while they are quick, and ends with short ones', async () => {
    const behind = { dueInMs: 0, tookMs: 1 };
    const { callsAfter, strides } = open(behind, behind, behind, behind, behind);
    for (let turn = 0; turn < 6; turn += 1) await callsAfter(3);
    await callsAfter(10_000);
    expect(strides()).toEqual([6, 24, 96, 384, 720, 720, 6]);
  });

  it('catches up with busy times in short strides, in a quarter of the time', async () => {
    const busy = { dueInMs: 0, tookMs: 600 };
    const { callsAfter, strides } = open(busy, { dueInMs: 0, tookMs: 200 });
    expect([await callsAfter(0), await callsAfter(1_799), await callsAfter(1)]).toEqual([1, 1, 2]);
    expect([await callsAfter(599), await callsAfter(1)]).toEqual([2, 3]);
    expect(strides()).toEqual([6, 1, 1]);
  });

  it('says what failed and tries again in ten seconds, with the smallest piece', async () => {
    const { callsAfter, strides, warn } = open(new Error('too slow'));
    expect([await callsAfter(0), await callsAfter(9_000), await callsAfter(1_000)]).toEqual([1, 1, 2]);
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ error: 'too slow' }), expect.any(String));
    expect(strides()).toEqual([6, 1]);
  });

  it('has one turn at a time', async () => {
    const { callsAfter } = open();
    const both = [callsAfter(0), callsAfter(0)];
    expect(await Promise.all(both)).toEqual([1, 1]);
  });
});
