import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { takeTurns } from './chore.ts';

export interface SealerOptions {
  store: Store;
  session: number;
  clock: Clock;
  log: Log;
}

/** Some twenty milliseconds: readers of the outbox wait for open transactions. */
const RANGES_AT_ONCE = 32;
const TURN_EVERY_MS = 5_000;
/** Of a turn that is behind; half of it are pauses. The next follows with the next tick. */
const LONG_TURN_MS = 400;
const AFTER_FAULT_MS = 60_000;

/**
 * The leader's part in finding what happened at some time: it has each stretch of the tables sealed soon after it was written (see
 * docs/decisions/0016-sealed-ranges.md). What is returned is to be called with every tick.
 */
export function startSealing({ store, session, clock, log }: SealerOptions): (isLeader: boolean) => void {
  return takeTurns(clock, async () => {
    const startedAt = clock.monotonic();
    try {
      while (clock.monotonic() - startedAt < LONG_TURN_MS) {
        const sentAt = clock.monotonic();
        if ((await store.retention.sealRanges({ most: RANGES_AT_ONCE })) < RANGES_AT_ONCE) return TURN_EVERY_MS;
        await sleep(clock, clock.monotonic() - sentAt);
      }
      return 0;
    } catch (error) {
      log.warn({ session, error: messageOf(error) }, 'what was written could not be sealed; tried again in a minute');
      return AFTER_FAULT_MS;
    }
  });
}
