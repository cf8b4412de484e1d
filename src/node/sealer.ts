import { sleep } from '#engine/clock.ts';
import { type ChoreOptions, takeTurns } from './chore.ts';

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
export function startSealing(options: ChoreOptions): (isLeader: boolean) => void {
  const { store, clock } = options;
  const turn = async (): Promise<number> => {
    const startedAt = clock.monotonic();
    while (clock.monotonic() - startedAt < LONG_TURN_MS) {
      const sentAt = clock.monotonic();
      if ((await store.retention.sealRanges({ most: RANGES_AT_ONCE })) < RANGES_AT_ONCE) return TURN_EVERY_MS;
      await sleep(clock, clock.monotonic() - sentAt);
    }
    return 0;
  };
  return takeTurns(options, {
    turn,
    failed: 'what was written could not be sealed; tried again in a minute',
    afterFaultMs: AFTER_FAULT_MS,
  });
}
