import { describe, expect, it } from 'vitest';
import { comparePlaces, fitSpanMs, hasMore, microsOf, OUTBOX_BEGIN, OUTBOX_PAGE, type OutboxEvent, type OutboxPlace } from './outbox.ts';

const A = '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c';
const B = '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2d';
const place = (at: string, orderId = A, version = 1): OutboxPlace => ({ at, orderId, version });

describe('places in the outbox', () => {
  it('are as far apart as PostgreSQL says, however it writes them', () => {
    const base = Date.UTC(2026, 10, 21, 10) * 1_000;
    for (const [at, micros] of [
      ['2026-11-21 10:00:00+00', 0],
      ['2026-11-21 10:00:00.1+00', 100_000],
      ['2026-11-21 10:00:00.1234+00', 123_400],
      ['2026-11-21 10:00:00.123456+00', 123_456],
      ['2026-11-21 10:00:00.000009+00', 9],
      ['2026-11-21 17:30:00.123456+07:30', 123_456],
      ['2026-11-21T10:00:00.123456Z', 123_456],
    ] as const)
      expect([at, microsOf(place(at)) - base]).toEqual([at, micros]);
    expect(microsOf(OUTBOX_BEGIN)).toBe(0);
  });

  it('come by moment, then order, then version', () => {
    const ordered = [
      OUTBOX_BEGIN,
      place('2026-11-21 10:00:00.123455+00', B, 9),
      place('2026-11-21 10:00:00.123456+00', A, 1),
      place('2026-11-21 10:00:00.123456+00', A, 2),
      place('2026-11-21 10:00:00.123456+00', B, 1),
      place('2026-11-21 10:00:00.2+00', A, 1),
    ];
    expect(ordered.toReversed().toSorted(comparePlaces)).toEqual(ordered);
  });
});

describe('after a page', () => {
  it('there is more where it led on and not up to now: an open transaction lets nobody run on the spot', () => {
    const [from, next] = [place('2026-11-21 10:00:00+00'), place('2026-11-21 10:00:00.5+00')];
    expect(hasMore({ events: [], next, isCaughtUp: false }, from)).toBe(true);
    expect(hasMore({ events: [], next, isCaughtUp: true }, from)).toBe(false);
    expect(hasMore({ events: [], next: from, isCaughtUp: false }, from)).toBe(false);
  });
});

describe('the span of the next page', () => {
  const page = (count: number, isCaughtUp: boolean) => ({ events: Array<OutboxEvent>(count), next: OUTBOX_BEGIN, isCaughtUp });

  it('grows while there is little, shrinks when a page is full, and has bounds', () => {
    expect(fitSpanMs(1_000, page(0, false))).toBe(2_000);
    expect(fitSpanMs(1_000, page(0, true))).toBe(1_000);
    expect(fitSpanMs(4_000, page(OUTBOX_PAGE - 1, false))).toBe(4_000);
    expect(fitSpanMs(4_000, page(OUTBOX_PAGE, false))).toBe(2_000);
    expect(fitSpanMs(1_000, page(OUTBOX_PAGE, false))).toBe(1_000);
    expect(fitSpanMs(86_400_000, page(0, false))).toBe(86_400_000);
  });
});
