import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentilesOf } from './percentiles.ts';

describe('percentiles', () => {
  it('there are none of nothing', () => {
    expect(percentilesOf([])).toBeNull();
  });

  it('are those of the nearest rank', () => {
    expect(percentilesOf([7])).toEqual({ p50: 7, p95: 7, p99: 7, max: 7 });
    expect(percentilesOf(Array.from({ length: 100 }, (_, index) => 100 - index))).toEqual({ p50: 50, p95: 95, p99: 99, max: 100 });
  });

  it('are values that were measured, in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1e6 }), { minLength: 1 }), (values) => {
        const { p50, p95, p99, max } = percentilesOf(values) ?? expect.unreachable();
        expect([p50, p95, p99, max].every((value) => values.includes(value))).toBe(true);
        expect([p50, p95, p99, max]).toEqual([p50, p95, p99, max].sort((one, other) => one - other));
        expect(max).toBe(Math.max(...values));
        expect(values.filter((value) => value <= p50).length).toBeGreaterThanOrEqual(values.length / 2);
      }),
    );
  });
});
