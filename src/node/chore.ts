import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';

export interface ChoreOptions {
  store: Store;
  session: number;
  clock: Clock;
  log: Log;
}

export interface Chore {
  /** One turn; resolves with how many milliseconds to wait for the next. */
  turn: () => Promise<number>;
  /** What is logged of one that failed. */
  failed: string;
  afterFaultMs: number;
}

/** Turns of the leader's beside its ticks, one at a time: what is returned is to be called with every tick. */
export function takeTurns({ session, clock, log }: ChoreOptions, { turn, failed, afterFaultMs }: Chore): (isLeader: boolean) => void {
  let nextAt = Number.NEGATIVE_INFINITY;
  return (isLeader) => {
    if (!isLeader || clock.monotonic() < nextAt) return;
    nextAt = Number.POSITIVE_INFINITY;
    void turn()
      .catch((error: unknown) => {
        log.warn({ session, error: messageOf(error) }, failed);
        return afterFaultMs;
      })
      .then((pauseMs) => {
        nextAt = clock.monotonic() + pauseMs;
      });
  };
}
