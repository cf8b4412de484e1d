import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pointsOf, STATISTICS_RANGES, windowOf } from './statistics.ts';

const NOTHING = { accepted: 0, completed: 0, failed: 0, cancelled: 0 };
const upto = fc.integer({ min: 150_000_000, max: 200_000_000 }).map((tens) => tens * 10_000);
const range = fc.constantFrom(...STATISTICS_RANGES);

describe('the window of a chart', () => {
  it('ends where counting ended; whole points up to the last one, 28 to 96 of them', () => {
    fc.assert(
      fc.property(range, upto, (name, end) => {
        const window = windowOf(name, end);
        const points = pointsOf(window, []);
        expect(window.until).toBe(end);
        expect(window.since % window.pointMs).toBe(0);
        expect(points[0]?.at).toBe(window.since);
        const last = points.at(-1)?.at ?? 0;
        expect(last < end && last + window.pointMs >= end).toBe(true);
        expect(points.length).toBeGreaterThan(27);
        expect(points.length).toBeLessThanOrEqual(96);
      }),
    );
  });

  it.each([
    ['5m', 30, 10],
    ['15m', 90, 10],
    ['1h', 60, 60],
    ['6h', 72, 300],
    ['24h', 96, 900],
    ['7d', 84, 7_200],
  ] as const)('%s has %i points of %i seconds', (name, count, seconds) => {
    const window = windowOf(name, 1_750_000_010_000);
    expect([pointsOf(window, []).length, window.pointMs]).toEqual([count, seconds * 1_000]);
  });

  it('adds up what the warehouses tell, and shows stretches in which nothing happened', () => {
    const window = windowOf('5m', 1_750_000_000_000);
    const [first, last] = [window.since, window.until - 10_000];
    const latencies = new Map<number, number>();
    const points = pointsOf(window, [
      { points: [{ ...NOTHING, at: first, accepted: 2, failed: 1 }], latencies },
      {
        points: [
          { ...NOTHING, at: first, accepted: 3 },
          { ...NOTHING, at: last, completed: 4, cancelled: 5 },
        ],
        latencies,
      },
    ]);
    expect(points[0]).toEqual({ at: first, accepted: 5, completed: 0, failed: 1, cancelled: 0 });
    expect(points.at(-1)).toEqual({ at: last, accepted: 0, completed: 4, failed: 0, cancelled: 5 });
    expect(points.slice(1, -1).every(({ accepted, completed }) => accepted + completed === 0)).toBe(true);
  });
});
