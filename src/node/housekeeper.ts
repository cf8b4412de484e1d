import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { HouseReport } from '#engine/retention-store.ts';
import type { Store } from '#engine/store.ts';
import { takeTurns } from './chore.ts';

export interface HousekeeperOptions {
  store: Store;
  session: number;
  clock: Clock;
  log: Log;
  /** How long orders are kept after their end; `undefined`: for ever. */
  retentionMs: number | undefined;
}

const TURN_EVERY_MS = 10 * 60_000;
const AFTER_FAULT_MS = 60_000;
const WHILE_MORE_MS = 1_000;

/** The leader's part in retention: it makes room for the orders to come and lets go of those that are past their time. */
export class Housekeeper {
  /** With every tick. */
  readonly follow: (isLeader: boolean) => void;
  private readonly options: HousekeeperOptions;
  private keptBecause: string | undefined;

  constructor(options: HousekeeperOptions) {
    this.options = options;
    this.follow = takeTurns(options.clock, () => this.keep());
  }

  private async keep(): Promise<number> {
    const { store, session, log, retentionMs } = this.options;
    try {
      const report = await store.retention.keepHouse({ keepMs: retentionMs });
      this.tell(report);
      return report.hasMore ? WHILE_MORE_MS : TURN_EVERY_MS;
    } catch (error) {
      log.warn({ session, error: messageOf(error) }, 'partitions could not be kept in order; tried again in a minute');
      return AFTER_FAULT_MS;
    }
  }

  private tell({ made, dropped, keptBecause, deletedRows }: HouseReport): void {
    const { log, session } = this.options;
    if (made.length > 0) log.info({ session, partitions: made }, 'partitions made for the orders to come');
    if (dropped.length > 0) log.info({ session, partitions: dropped }, 'orders past their retention dropped');
    if (deletedRows > 0) log.debug({ session, rows: deletedRows }, 'what belonged to dropped orders was deleted');
    if (keptBecause !== this.keptBecause && keptBecause !== undefined)
      log.warn({ session, because: keptBecause }, 'orders past their retention are kept');
    this.keptBecause = keptBecause;
  }
}
