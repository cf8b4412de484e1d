import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueTicks, orderOfTick, readGeneratorState, untilNextTick } from './plan.ts';

const state = (every_ms: number, started_at = 1_000_000) => ({ running: true, every_ms, started_at });

describe('the generator’s plan', () => {
  it('each tick is due once, when its moment has come', () => {
    expect(dueTicks(state(2_000), 1_000_000, -1)).toEqual([0]);
    expect(dueTicks(state(2_000), 1_001_999, 0)).toEqual([]);
    expect(dueTicks(state(2_000), 1_002_000, 0)).toEqual([1]);
    expect(dueTicks(state(2_000), 1_006_000, 0)).toEqual([1, 2, 3]);
    expect(dueTicks(state(2_000), 999_999, -1)).toEqual([]);
  });

  it('catches up with a few ticks only, however long nobody looked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 10_000 }),
        fc.integer({ min: 0, max: 10_000_000 }),
        fc.integer({ min: -1, max: 1_000 }),
        (every, passed, last) => {
          const ticks = dueTicks(state(every), 1_000_000 + passed, last);
          const latest = Math.floor(passed / every);
          expect(ticks.length).toBeLessThanOrEqual(5);
          expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
          for (const tick of ticks) {
            expect(tick).toBeGreaterThan(last);
            expect(tick).toBeLessThanOrEqual(latest);
          }
          if (last < latest) expect(ticks.at(-1)).toBe(latest);
        },
      ),
    );
  });

  it('the next tick comes at its moment', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 10_000 }), fc.integer({ min: 0, max: 1_000_000 }), (every, passed) => {
        const wait = untilNextTick(state(every), 1_000_000 + passed);
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(every);
        expect((passed + wait) % every).toBe(0);
      }),
    );
  });

  it('the order of a tick is the same for whoever asks: three letters, one to ten pieces, one of the regions', () => {
    const orders = Array.from({ length: 500 }, (_, tick) => orderOfTick(state(2_000), tick, ['HCM', 'HN', 'DN']));
    expect(orders.map(({ key }) => key)).toEqual([...new Set(orders.map(({ key }) => key))]);
    for (const { content } of orders) {
      expect(content.symbol).toMatch(/^[a-z]{3}$/);
      expect(content.quantity).toBeGreaterThanOrEqual(1);
      expect(content.quantity).toBeLessThanOrEqual(10);
    }
    expect(new Set(orders.map(({ content }) => content.region))).toEqual(new Set(['HCM', 'HN', 'DN']));
    expect(new Set(orders.map(({ content }) => content.quantity)).size).toBe(10);
    expect(orderOfTick(state(2_000), 7, ['DN', 'HN', 'HCM'])).toEqual(orders[7]);
  });

  it('a state that makes no sense counts as none', () => {
    for (const value of [
      undefined,
      null,
      1,
      {},
      { running: true },
      { running: true, every_ms: 1, started_at: 0 },
      { running: 'yes', every_ms: 500, started_at: 0 },
    ])
      expect(readGeneratorState(value)).toBeUndefined();
    expect(readGeneratorState(state(500))).toEqual(state(500));
  });
});
