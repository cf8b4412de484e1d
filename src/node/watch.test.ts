import { describe, expect, it } from 'vitest';
import type { TickReport } from '#engine/store.ts';
import { SessionWatch } from './watch.ts';

const TTL_MS = 3_000;
const report = (sessions: TickReport['sessions'], databaseEpoch = 'e1'): TickReport => ({
  databaseEpoch,
  databaseNow: 0,
  leader: undefined,
  sessions,
  ownedCount: 0,
  cancelRequests: [],
  workDue: false,
  asked: undefined,
  leaderTerm: undefined,
  gateShut: false,
  gateNeedsTurn: false,
  lostSessions: undefined,
});
const still = { session: 2, beat: 5, expired: true };

/** Looks every second from 0 to `until`; the answers. */
function look(watch: SessionWatch, until: number, at: (now: number) => TickReport): number[][] {
  return Array.from({ length: until / 1_000 + 1 }, (_, second) => watch.suspects(at(second * 1_000), 1, second * 1_000));
}

describe('watching sessions', () => {
  it('I6: suspects one that stood still for a whole ttl and whose lease has run out', () => {
    expect(look(new SessionWatch(TTL_MS), 3_000, () => report([still]))).toEqual([[], [], [], [2]]);
  });

  it('a lease that has run out alone is no reason, a still beat alone neither', () => {
    const beating = look(new SessionWatch(TTL_MS), 9_000, (now) => report([{ ...still, beat: now }]));
    const leased = look(new SessionWatch(TTL_MS), 9_000, () => report([{ ...still, expired: false }]));
    expect([...beating, ...leased].flat()).toEqual([]);
  });

  it('never suspects itself', () => {
    expect(look(new SessionWatch(TTL_MS), 9_000, () => report([{ ...still, session: 1 }])).flat()).toEqual([]);
  });

  it('a restart of the database gives everyone a whole ttl', () => {
    const answers = look(new SessionWatch(TTL_MS), 6_000, (now) => report([still], now < 3_000 ? 'e1' : 'e2'));
    expect(answers).toEqual([[], [], [], [], [], [], [2]]);
  });

  it('a gap in its own watching gives everyone a whole ttl', () => {
    const watch = new SessionWatch(TTL_MS);
    expect(watch.suspects(report([still]), 1, 0)).toEqual([]);
    expect(watch.suspects(report([still]), 1, 60_000)).toEqual([]);
    expect(watch.suspects(report([still]), 1, 62_000)).toEqual([]);
    expect(watch.suspects(report([still]), 1, 63_000)).toEqual([2]);
  });

  it('a session that went away and one that is new are watched afresh', () => {
    const watch = new SessionWatch(TTL_MS);
    watch.suspects(report([still]), 1, 0);
    watch.suspects(report([]), 1, 2_000);
    expect(watch.suspects(report([still]), 1, 4_000)).toEqual([]);
  });
});
