import { describe, expect, it } from 'vitest';
import { readRange } from './ranges.ts';
import { flowNow, formatShare, seriesOf, wordsOfFlow } from './rates.ts';

const START = Date.parse('2026-01-01T10:00:00.000Z');
const iso = (seconds: number): string => new Date(START + seconds * 1_000).toISOString();

function point(seconds: number, accepted: number, completed = 0, failed = 0, cancelled = 0) {
  return { at: iso(seconds), accepted, completed, failed, cancelled };
}

describe('the flow of orders', () => {
  it('is of the last half minute, in all ways in which orders end', () => {
    const points = [point(0, 900), point(10, 30, 10), point(20, 30, 5, 4, 1), point(30, 30, 10)];
    expect(flowNow({ points, until: iso(40), bucket_s: 10 })).toEqual({ in: 3, out: 1, overS: 30 });
  });

  it('takes of a stretch that still grows what was counted of it, and more where that is too short', () => {
    const points = [point(0, 60), point(60, 20)];
    expect(flowNow({ points, until: iso(100), bucket_s: 60 })?.in).toBe(0.5);
    expect(flowNow({ points, until: iso(70), bucket_s: 60 })?.in).toBeCloseTo(80 / 70);
  });

  it('is called one of now only where it is', () => {
    expect([wordsOfFlow(undefined), wordsOfFlow({ in: 0, out: 0, overS: 90 })]).toEqual(['now', 'now']);
    const points = [point(0, 7_200), point(7_200, 0)];
    const flow = flowNow({ points, until: iso(7_220), bucket_s: 7_200 });
    expect([flow?.overS, wordsOfFlow(flow)]).toEqual([7_220, 'over 2 h']);
  });

  it('is not known before anything was counted', () => {
    expect(flowNow({ points: [], until: iso(0), bucket_s: 10 })).toBeUndefined();
    expect(flowNow({ points: [point(0, 0)], until: iso(0), bucket_s: 10 })).toBeUndefined();
  });
});

describe('the series of a chart', () => {
  it('is per second, the stretch that grows by what of it was counted', () => {
    const { at, accepted, failed } = seriesOf({ points: [point(0, 120, 0, 6), point(60, 20)], until: iso(70), bucket_s: 60 });
    expect(at).toEqual([START / 1_000, START / 1_000 + 60]);
    expect(accepted).toEqual([2, 2]);
    expect(failed).toEqual([0.1, 0]);
  });

  it('leaves out what was not counted yet', () => {
    expect(seriesOf({ points: [point(0, 1), point(60, 0)], until: iso(60), bucket_s: 60 }).at).toHaveLength(1);
  });
});

describe('a share', () => {
  it.each([
    [0, 0, '–'],
    [0, 10, '0 %'],
    [10, 10, '100 %'],
    [39, 40, '97.5 %'],
    [99_999, 100_000, '99.9 %'],
    [1, 100_000, '0.1 %'],
  ])('of %i in %i is %s', (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });
});

describe('the range in the URL', () => {
  it('is one of the known ones', () => {
    expect([readRange('7d'), readRange('5 minutes'), readRange(undefined)]).toEqual(['7d', '15m', '15m']);
  });
});
