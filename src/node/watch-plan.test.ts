import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayToPhase, planWatch } from './watch-plan.ts';

const PERIOD_MS = 750;
const LEADER_PERIOD_MS = 500;
const sessionsOf = (count: number): number[] => Array.from({ length: count }, (_, index) => index * 3 + 1);

describe('the plan of who looks when', () => {
  it('alone nobody looks; two or more all do, up to ten and the leader', () => {
    expect(planWatch(1, [1], 1)).toEqual({ phase: 0, lookWithTick: false, lookBetween: undefined });
    for (const count of [2, 5, 11, 100]) {
      const sessions = sessionsOf(count);
      const lookers = sessions.filter((session) => planWatch(session, sessions, sessions[0]).lookWithTick);
      expect(lookers.length).toBe(Math.min(count, 11));
    }
  });

  it('the phases of the followers are spread evenly, whoever leads, and none is shared up to ten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 11 }), fc.nat(10), (count, leaderAt) => {
        const sessions = sessionsOf(count);
        const leader = sessions[leaderAt % count];
        const phases = sessions.filter((session) => session !== leader).map((session) => planWatch(session, sessions, leader).phase);
        expect([...phases].sort((a, b) => a - b)).toEqual(Array.from({ length: count - 1 }, (_, index) => index / (count - 1)));
      }),
    );
  });

  it('a look between falls on nobody’s tick and on nobody else’s look', () => {
    for (const count of [2, 3, 4, 5]) {
      const sessions = sessionsOf(count);
      const moments = sessions.slice(1).flatMap((session) => {
        const { phase, lookBetween = 0 } = planWatch(session, sessions, sessions[0]);
        return [phase, phase + lookBetween];
      });
      const gaps = moments.sort((a, b) => a - b).map((moment, index) => (moments[index + 1] ?? 1) - moment);
      for (const gap of gaps) expect(gap).toBeCloseTo(1 / moments.length);
    }
  });

  it('a node sends at most 2.5 statements a second, and a cluster at most 2.5 more for each node', () => {
    const rateOf = (count: number): number => {
      const sessions = sessionsOf(count);
      const followers = sessions.slice(1).map((session) => planWatch(session, sessions, sessions[0]));
      const looks = followers.filter(({ lookBetween }) => lookBetween !== undefined).length * (3 / 4);
      return 1_000 / LEADER_PERIOD_MS + ((followers.length + looks) * 1_000) / PERIOD_MS;
    };
    for (let count = 1; count < 200; count += 1) {
      expect(rateOf(count) / count).toBeLessThanOrEqual(2.5);
      expect(rateOf(count + 1) - rateOf(count)).toBeLessThanOrEqual(2.5);
    }
  });

  it('the next moment lies at the phase, a quarter to five quarters of a period ahead', () => {
    const phase = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1_700_000_000_000, max: 1_900_000_000_000 }), phase, (now, at) => {
        const delay = delayToPhase(now, at, PERIOD_MS);
        expect(delay).toBeGreaterThanOrEqual(PERIOD_MS / 4 - 1e-6);
        expect(delay).toBeLessThanOrEqual((PERIOD_MS * 5) / 4 + 1e-6);
        const off = Math.abs((((now + delay) / PERIOD_MS) % 1) - at);
        expect(Math.min(off, 1 - off)).toBeLessThan(1e-3);
      }),
    );
  });
});
