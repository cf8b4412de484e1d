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
/** All nodes together look about this often, however many there are. */
const SHARED_INTERVAL_MS = 150;
/** One node looks no more often than this beside its tick: an idle node sends little. */
const MIN_INTERVAL_MS = 1_000;
const MAX_LOOKERS_WITH_TICK = 10;

/**
 * Watches the liveness locks of the other sessions: the fast way to notice that a node is gone. Every node looks, so that
 * it does not matter who is killed, and each the more rarely the more they are.
 */
export class LostWatch {
  private readonly options: LostWatchOptions;
  private readonly ending = new Set<number>();
  private timer: Timer | undefined;
  private othersCount = 0;
  private closed = false;

  constructor(options: LostWatchOptions) {
    this.options = options;
  }

  /** Whether the tick should look too. */
  get wantsTick(): boolean {
    return this.othersCount > 0 && this.othersCount < MAX_LOOKERS_WITH_TICK;
  }

  /** How many other sessions there are, as the latest tick told. */
  follow(othersCount: number): void {
    this.othersCount = othersCount;
    if (othersCount > 0 && !this.timer) this.schedule();
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

  private schedule(): void {
    const { clock } = this.options;
    const interval = Math.max(MIN_INTERVAL_MS, (this.othersCount + 1) * SHARED_INTERVAL_MS);
    // Spread evenly around the interval, so that the nodes' looks do not fall together.
    this.timer = clock.after(interval * (0.75 + clock.random() / 2), () => {
      this.timer = undefined;
      if (!this.closed && this.othersCount > 0) void this.look();
    });
  }

  private async look(): Promise<void> {
    try {
      this.suspect(await this.options.look());
    } catch (error) {
      this.options.log.debug({ error: messageOf(error) }, 'could not look for lost sessions; trying on');
    }
    if (!this.closed && !this.timer) this.schedule();
  }
}
