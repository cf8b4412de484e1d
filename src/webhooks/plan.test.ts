import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findReasonToDisable, GIVE_UP_AFTER_MS, judge } from './plan.ts';

const tried = (attempts: number, since = 0) => ({ attempts, since });

describe('what follows from an answer', () => {
  it('2xx is delivered; anything else is tried again, later each time, up to three days', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 599 }),
        fc.integer({ min: 0, max: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (status, attempts, random) => {
          const { state, delayMs } = judge({ status, error: undefined }, tried(attempts), 1_000, random);
          expect(state).toBe(status >= 200 && status < 300 ? 'delivered' : status === 410 ? 'given_up' : 'waiting');
          if (state !== 'waiting') return;
          expect(delayMs).toBeGreaterThanOrEqual(4_000);
          expect(delayMs).toBeLessThanOrEqual(7.2 * 3_600_000);
        },
      ),
    );
    const delays = Array.from({ length: 9 }, (_, attempts) => judge({ status: 500, error: undefined }, tried(attempts), 0, 0.5).delayMs);
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    expect(delays.slice(0, 3)).toEqual([5_000, 30_000, 120_000]);
  });

  it('after three days it is given up; the webhook is disabled when nothing else succeeded either', () => {
    const late = judge({ status: undefined, error: 'connect ECONNREFUSED' }, tried(20), GIVE_UP_AFTER_MS, 0);
    expect(late).toMatchObject({ state: 'given_up', status: null, error: 'connect ECONNREFUSED' });
    expect(findReasonToDisable(late, true)).toBeUndefined();
    expect(findReasonToDisable(late, false)).toBe('no delivery succeeded for three days; the last time: connect ECONNREFUSED');
    expect(findReasonToDisable(judge({ status: 410, error: undefined }, tried(0), 0, 0), true)).toBe('it answered 410: gone');
    expect(findReasonToDisable(judge({ status: 500, error: undefined }, tried(0), 0, 0), false)).toBeUndefined();
  });
});
