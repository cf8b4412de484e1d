import { describe, expect, it } from 'vitest';
import { ManualClock } from '#engine/manual-clock.ts';
import { SurplusWatch } from './surplus.ts';

describe('when to ask which orders are ours', () => {
  it('never while the counts agree, or while a claim is under way for one tick', () => {
    const watch = new SurplusWatch(new ManualClock());
    for (const [owned, known] of [
      [0, 0],
      [5, 5],
      [4, 5],
      [9, 5],
      [9, 9],
      [12, 9],
      [12, 12],
    ] as const)
      expect(watch.isDue(owned, known)).toBe(false);
  });

  it('I1: when the database counts more for two ticks, and then every five seconds as long as it does', () => {
    const clock = new ManualClock();
    const watch = new SurplusWatch(clock);
    expect([watch.isDue(6, 5), watch.isDue(6, 5)]).toEqual([false, true]);
    watch.begin();
    expect([watch.isDue(6, 5), watch.isDue(6, 5), watch.isDue(6, 5)]).toEqual([false, false, false]);
    clock.pass(5_000);
    expect(watch.isDue(6, 5)).toBe(true);
  });

  it('at once when in doubt, and again when doubt comes up during the look', () => {
    const watch = new SurplusWatch(new ManualClock());
    watch.doubt();
    expect(watch.isDue(0, 0)).toBe(true);
    watch.begin();
    expect(watch.isDue(0, 0)).toBe(false);
    watch.doubt();
    expect(watch.isDue(0, 0)).toBe(true);
  });
});
