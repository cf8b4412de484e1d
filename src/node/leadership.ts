import type { Log } from '#engine/log.ts';
import type { LeadershipBid } from '#engine/store.ts';

/**
 * This session's part in the election: the lease of the warehouse's leader is asked for with every tick and renewed with
 * the same. It is bound to holder and term, and to work: chores that fail are not reported, and a leader whose work stands
 * still loses the lease. Two leaders for a moment harm nothing, because every chore is idempotent.
 */
export class Leadership {
  private readonly log: Log;
  private readonly session: number;
  private present: number | undefined;
  private worked = false;

  constructor(session: number, log: Log) {
    this.session = session;
    this.log = log;
  }

  get term(): number | undefined {
    return this.present;
  }

  /** What to say with the next tick. */
  bid(): LeadershipBid {
    const { worked } = this;
    this.worked = false;
    return { term: this.present, worked };
  }

  /** What the tick brought: the term, or nothing where another leads. An unanswered tick means: not leader. */
  follow(term: number | undefined): void {
    if (term !== undefined && this.present === undefined) this.log.info({ session: this.session, term }, 'this node leads its warehouse');
    if (term === undefined && this.present !== undefined) this.log.info({ session: this.session }, 'this node does not lead any more');
    this.present = term;
  }

  /** The chores of this turn are done. */
  noteWork(): void {
    this.worked = true;
  }
}
