import type { Clock } from '#engine/clock.ts';
import type { PlaceVerdict } from '#engine/run-order.ts';

/** An order that was claimed ahead and finds no place for so long is better off elsewhere. */
const AHEAD_PATIENCE_MS = 250;

interface Waiting {
  resolve: (verdict: PlaceVerdict) => void;
}

/**
 * The places for handlers: at most `count` run at once. An order that waits for its step to be recorded holds none, so a node may
 * have a few more orders in hand than places. Whoever goes on is let in before whoever was claimed ahead.
 */
export class Places {
  private readonly clock: Clock;
  private free: number;
  private readonly goingOn = new Set<Waiting>();
  private readonly ahead = new Set<Waiting>();

  constructor(count: number, clock: Clock) {
    this.free = count;
    this.clock = clock;
  }

  take(goesOn: boolean): Promise<PlaceVerdict> | 'taken' {
    if (this.free > 0) {
      this.free -= 1;
      return 'taken';
    }
    return goesOn ? this.wait(this.goingOn) : this.waitAhead();
  }

  leave(): void {
    const next = this.first(this.goingOn) ?? this.first(this.ahead);
    if (next) next.resolve('taken');
    else this.free += 1;
  }

  /** Nobody goes on waiting: what they wait for may not be wanted any more. */
  disturb(): void {
    for (const queue of [this.goingOn, this.ahead]) {
      for (const waiting of queue) waiting.resolve('disturbed');
      queue.clear();
    }
  }

  private wait(queue: Set<Waiting>): Promise<PlaceVerdict> {
    return new Promise((resolve) => queue.add({ resolve }));
  }

  private waitAhead(): Promise<PlaceVerdict> {
    return new Promise((resolve) => {
      const timer = this.clock.after(AHEAD_PATIENCE_MS, () => {
        this.ahead.delete(waiting);
        resolve('none');
      });
      const waiting: Waiting = {
        resolve: (verdict) => {
          timer.cancel();
          resolve(verdict);
        },
      };
      this.ahead.add(waiting);
    });
  }

  private first(queue: Set<Waiting>): Waiting | undefined {
    for (const waiting of queue) {
      queue.delete(waiting);
      return waiting;
    }
    return undefined;
  }
}
