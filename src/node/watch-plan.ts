/**
 * Who looks when for lost liveness locks. All nodes tick by the database's clock, each at a phase of its own, so that their
 * looks are spread evenly: the death of any of them is noticed after half a gap on average, while each sends no more than an
 * idle node may (2.5 statements a second). Beyond ten nodes only the first ten look; the leader goes its own, faster pace.
 */
export interface WatchPlan {
  /** Where in the common period this session ticks; from 0 to below 1. */
  phase: number;
  lookWithTick: boolean;
  /** Also look so far after the tick, as a part of the period: halfway to the next tick of anybody. */
  lookBetween: number | undefined;
}

const MAX_LOOKERS = 10;
/** With more, the ticks alone lie close enough together. */
const MAX_LOOKERS_BETWEEN = 4;

export function planWatch(self: number, sessions: readonly number[], leader: number | undefined): WatchPlan {
  if (sessions.length < 2) return { phase: 0, lookWithTick: false, lookBetween: undefined };
  if (self === leader) return { phase: 0, lookWithTick: true, lookBetween: undefined };
  const followers = sessions.filter((session) => session !== leader).sort((a, b) => a - b);
  const rank = Math.max(0, followers.indexOf(self));
  const isLooker = rank < MAX_LOOKERS;
  return {
    phase: rank / (isLooker ? Math.min(followers.length, MAX_LOOKERS) : followers.length),
    lookWithTick: isLooker,
    lookBetween: followers.length <= MAX_LOOKERS_BETWEEN ? 1 / (2 * followers.length) : undefined,
  };
}

/** From now until this session's next moment in the common period: about a period, at most a quarter more. */
export function delayToPhase(databaseNowMs: number, phase: number, periodMs: number): number {
  const part = (phase - ((databaseNowMs / periodMs) % 1) + 1) % 1;
  // A moment that is just being left is not waited for again.
  return (part < 1 / 4 ? part + 1 : part) * periodMs;
}
