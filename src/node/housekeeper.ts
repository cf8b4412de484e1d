import type { HouseReport } from '#engine/retention-store.ts';
import { type ChoreOptions, takeTurns } from './chore.ts';

export interface HousekeeperOptions extends ChoreOptions {
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
    this.follow = takeTurns(options, {
      turn: () => this.keep(),
      failed: 'partitions could not be kept in order; tried again in a minute',
      afterFaultMs: AFTER_FAULT_MS,
    });
  }

  private async keep(): Promise<number> {
    const { store, retentionMs } = this.options;
    const report = await store.retention.keepHouse({ keepMs: retentionMs });
    this.tell(report);
    return report.hasMore ? WHILE_MORE_MS : TURN_EVERY_MS;
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
