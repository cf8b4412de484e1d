import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addHistograms, binOf, type Histogram, percentileOf } from './histogram.ts';

function histogramOf(times: readonly number[]): Histogram {
  return addHistograms(times.map((ms) => new Map([[binOf(ms), 1]])));
}

/** By the nearest rank. */
function truePercentile(times: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((times.length * percent) / 100));
  return [...times].sort((a, b) => a - b)[rank - 1] as number;
}

const WEEK_MS = 604_800_000;
const times = fc.array(fc.double({ min: 1, max: WEEK_MS, noNaN: true }), { minLength: 1, maxLength: 200 });

describe('a histogram of times', () => {
  it('tells a percentile to within 4.5 % of the true one', () => {
    fc.assert(
      fc.property(times, fc.integer({ min: 1, max: 100 }), (all, percent) => {
        const truth = truePercentile(all, percent);
        const told = percentileOf(histogramOf(all), percent) as number;
        expect(Math.abs(told - truth) / truth).toBeLessThan(0.045);
      }),
    );
  });

  it('of all is the sum of its parts, in whatever order', () => {
    fc.assert(
      fc.property(times, times, (some, others) => {
        const whole = histogramOf([...some, ...others]);
        expect(addHistograms([histogramOf(some), histogramOf(others)])).toEqual(whole);
        expect(addHistograms([histogramOf(others), histogramOf(some)])).toEqual(whole);
        expect([...whole.values()].reduce((total, count) => total + count, 0)).toBe(some.length + others.length);
      }),
    );
  });

  it('has bins that grow with the time, eight for each doubling', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: WEEK_MS, noNaN: true }), (ms) => {
        expect(binOf(2 * ms) - binOf(ms)).toBeGreaterThanOrEqual(7);
        expect(binOf(2 * ms) - binOf(ms)).toBeLessThanOrEqual(9);
      }),
    );
    expect([-5, 0, 0.3, 1, 2, 1_000].map(binOf)).toEqual([0, 0, 0, 0, 8, 79]);
  });

  it('of nothing has no percentile', () => {
    expect(percentileOf(new Map(), 50)).toBeUndefined();
    expect(percentileOf(new Map([[8, 0]]), 50)).toBeUndefined();
    expect(addHistograms([])).toEqual(new Map());
  });
});
