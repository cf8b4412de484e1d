import type { Clock, Timer } from './clock.ts';

export interface TickerOptions {
  clock: Clock;
  /** Until the next turn, asked after each. */
  intervalMs: () => number;
  /** One turn; never rejects. */
  turn: () => Promise<void>;
}

/** Takes turns, one after the other and never two at once: after each interval, and sooner when asked. */
export class Ticker {
  private readonly options: TickerOptions;
  private timer: Timer | undefined;
  private turning: Promise<void> | undefined;
  private again = false;
  private stopped = false;
  /** When the last turn ended, by the monotonic clock; the begin before that. */
  turnedAt: number;

  constructor(options: TickerOptions) {
    this.options = options;
    this.turnedAt = options.clock.monotonic();
  }

  start(): void {
    if (this.stopped) return;
    this.timer?.cancel();
    this.timer = this.options.clock.after(this.options.intervalMs(), () => this.soon());
  }

  /** Now; or once more, right after the turn that is under way: that one may have looked too early. */
  soon(): void {
    if (this.stopped) return;
    if (this.turning) {
      this.again = true;
      return;
    }
    this.again = false;
    this.turning = this.options.turn().finally(() => {
      this.turning = undefined;
      this.turnedAt = this.options.clock.monotonic();
      if (this.again) this.soon();
      else this.start();
    });
  }

  get isStopped(): boolean {
    return this.stopped;
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }
}
