import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMostlyWaiting, scaleOf } from './scale.ts';
import type { SegmentKind, Shown } from './timeline.ts';

const T0 = Date.parse('2026-11-21T10:00:00.000Z');

function shownOf(...parts: readonly [SegmentKind, number][]): Shown[] {
  let from = T0;
  return parts.map(([kind, length]) => {
    const segment: Shown = {
      step: 'Scheduling',
      kind,
      direction: 'forward',
      from,
      to: from + length,
      end: 'done',
      since: 'claimed',
      version: 1,
    };
    from += length;
    return segment;
  });
}

const labelsOf = (parts: [SegmentKind, number][], isGrowing = false): string[] =>
  scaleOf(shownOf(...parts), { isShortened: false, isGrowing }).ticks.map(({ label }) => label);

describe('the axis', () => {
  it('counts from the acceptance, in round steps', () => {
    expect(labelsOf([['running', 8_010]])).toEqual(['0', '2 s', '4 s', '6 s', '8 s'].filter((label) => label !== ''));
    expect(labelsOf([['running', 90_000]])).toEqual(['0', '15 s', '30 s', '45 s', '1 min', '1 min 15 s', '1 min 30 s']);
    expect(labelsOf([['running', 12]])).toEqual(['0', '20 ms', '40 ms', '60 ms', '80 ms', '100 ms']);
    expect(labelsOf([['stopped', 3 * 86_400_000]])).toEqual(['0', '12 h', '1 d', '1 d 12 h', '2 d', '2 d 12 h', '3 d']);
  });

  it('while it grows its end stays for a while', () => {
    const placeAfter = (ms: number): number => scaleOf(shownOf(['running', ms]), { isShortened: false, isGrowing: true }).placeOf(T0 + 100);
    expect(placeAfter(1_100)).toBe(placeAfter(1_200));
    expect(placeAfter(1_200)).toBeGreaterThan(placeAfter(2_100));
  });

  it('waits that hide the work can be drawn shorter, together as wide as the work', () => {
    const segments = shownOf(['waiting', 5], ['running', 1_000], ['backoff', 600_000], ['running', 1_000]);
    expect(isMostlyWaiting(segments)).toBe(true);
    const { placeOf, breaks } = scaleOf(segments, { isShortened: true, isGrowing: false });
    expect(breaks).toHaveLength(1);
    expect(placeOf(T0 + 1_005)).toBeCloseTo(3 / 8, 1);
    expect(placeOf(T0 + 601_005) - placeOf(T0 + 1_005)).toBeCloseTo(1_000 / 3_005);
    expect(isMostlyWaiting(shownOf(['waiting', 5_000], ['running', 1_000]))).toBe(false);
    expect(isMostlyWaiting(shownOf(['waiting', 5_000]))).toBe(false);
  });

  it('keeps the order of moments, from 0 to 1, with few ticks', () => {
    const kinds: SegmentKind[] = ['waiting', 'backoff', 'running', 'undoing', 'stopped'];
    const anyParts = fc.array(fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 0, max: 1e9 })), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(anyParts, fc.boolean(), fc.boolean(), (parts, isShortened, isGrowing) => {
        const segments = shownOf(...parts);
        const { placeOf, ticks } = scaleOf(segments, { isShortened, isGrowing });
        const places = [...segments.map(({ from }) => placeOf(from)), placeOf(segments.at(-1)?.to ?? 0)];
        expect(places.every((place, index) => place >= 0 && place <= 1 + 1e-9 && place >= (places[index - 1] ?? 0) - 1e-9)).toBe(true);
        expect(ticks.length).toBeLessThanOrEqual(7);
        expect(ticks.every(({ place }) => place >= 0 && place <= 1 + 1e-9)).toBe(true);
      }),
    );
  });
});
