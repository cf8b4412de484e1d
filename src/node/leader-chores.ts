import { Bookkeeper } from './bookkeeper.ts';
import { Housekeeper, type HousekeeperOptions } from './housekeeper.ts';
import { startSealing } from './sealer.ts';

/** What the leader does beside its ticks, so that none of it holds up a lease. */
export class LeaderChores {
  private readonly chores: readonly ((isLeader: boolean) => void)[];

  constructor(options: HousekeeperOptions) {
    this.chores = [new Housekeeper(options).follow, new Bookkeeper(options).follow, startSealing(options)];
  }

  /** With every tick. */
  follow(isLeader: boolean): void {
    for (const chore of this.chores) chore(isLeader);
  }
}
