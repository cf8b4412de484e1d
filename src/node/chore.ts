import type { Clock } from '#engine/clock.ts';

/**
 * Turns of the leader's beside its ticks, one at a time: what is returned is to be called with every tick.
 * @param turn one turn; never rejects. Resolves with how many milliseconds to wait for the next
 */
export function takeTurns(clock: Clock, turn: () => Promise<number>): (isLeader: boolean) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  return (isLeader) => {
    if (!isLeader || clock.monotonic() < nextAt) return;
    nextAt = Number.POSITIVE_INFINITY;
    void turn().then((pauseMs) => {
      nextAt = clock.monotonic() + pauseMs;
    });
  };
}
