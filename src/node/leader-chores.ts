import { Bookkeeper } from './bookkeeper.ts';
import { Housekeeper, type HousekeeperOptions } from './housekeeper.ts';

/** What the leader does beside its ticks, so that none of it holds up a lease. */
export class LeaderChores {
  private readonly housekeeper: Housekeeper;
  private readonly bookkeeper: Bookkeeper;

  constructor(options: HousekeeperOptions) {
    this.housekeeper = new Housekeeper(options);
    this.bookkeeper = new Bookkeeper(options);
  }

  /** With every tick. */
  follow(isLeader: boolean): void {
    this.housekeeper.follow(isLeader);
    this.bookkeeper.follow(isLeader);
  }
}
