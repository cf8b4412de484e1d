import { messageOf } from '#domain/errors.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';

export interface LostWatchOptions {
  clock: Clock;
  log: Log;
  /** Asks which sessions have lost their liveness lock. */
  look: () => Promise<number[]>;
  /** Ends those of them that have not taken it again. */
  end: (sessions: number[]) => Promise<void>;
}

/** A connection may be cut for a moment: this long a lost lock may be taken again. */
const GRACE_MS = 200;
/** One look between two ticks is left out in so many: an idle node sends at most 2.5 statements a second. */
const LOOKS_IN_A_ROW = 3;

/** Watches the liveness locks of the other sessions: the fast way to notice that a node is gone. */
export class LostWatch {
  private readonly options: LostWatchOptions;
  private readonly ending = new Set<number>();
  private timer: Timer | undefined;
  private turn = 0;
  private closed = false;

  constructor(options: LostWatchOptions) {
    this.options = options;
  }

  /** Looks once in so many milliseconds, instead of what was planned before. */
  planLook(delayMs: number): void {
    this.timer?.cancel();
    this.turn = (this.turn + 1) % (LOOKS_IN_A_ROW + 1);
    if (this.turn === 0 || this.closed) return;
    this.timer = this.options.clock.after(delayMs, () => void this.look());
  }

  /** These sessions have lost their lock: ends them after the grace, unless they have it again by then. */
  suspect(sessions: readonly number[]): void {
    const fresh = sessions.filter((session) => !this.ending.has(session));
    if (fresh.length === 0 || this.closed) return;
    for (const session of fresh) this.ending.add(session);
    this.options.clock.after(GRACE_MS, () => void this.end(fresh));
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
  }

  private async end(sessions: number[]): Promise<void> {
    try {
      if (!this.closed) await this.options.end(sessions);
    } catch (error) {
      this.options.log.debug({ sessions, error: messageOf(error) }, 'could not end lost sessions; the next look tries again');
    } finally {
      for (const session of sessions) this.ending.delete(session);
    }
  }

  private async look(): Promise<void> {
    try {
      this.suspect(await this.options.look());
    } catch (error) {
      this.options.log.debug({ error: messageOf(error) }, 'could not look for lost sessions; the tick looks too');
    }
  }
}
