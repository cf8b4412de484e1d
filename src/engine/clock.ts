import { randomFillSync } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { EpochMs } from '#domain/time.ts';

/** A timer that was set. */
export interface Timer {
  cancel(): void;
}

/**
 * Time and chance, as arguments. This file is the only place of the sources that touches the real ones, so that tests
 * and simulations can give their own.
 */
export interface Clock {
  /** The wall clock. Never used to decide about a lease. */
  now(): EpochMs;
  /** Milliseconds that only grow, whatever happens to the wall clock. */
  monotonic(): number;
  /** Calls back once, not before `delayMs`. */
  after(delayMs: number, call: () => void): Timer;
  /** Uniform in [0, 1). */
  random(): number;
  /** Eight fresh random bytes, valid until the next call. */
  entropy(): Uint8Array;
}

/** Random bytes are drawn from the system in blocks: one call for 512 ids. */
class EntropyPool {
  private readonly pool = Buffer.alloc(512 * 8);
  private used = this.pool.length;

  next(): Uint8Array {
    if (this.used === this.pool.length) {
      randomFillSync(this.pool);
      this.used = 0;
    }
    this.used += 8;
    return this.pool.subarray(this.used - 8, this.used);
  }
}

const entropyPool = new EntropyPool();

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    const handle = setTimeout(call, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  random: () => Math.random(),
  entropy: () => entropyPool.next(),
};

/** Resolves after `delayMs`, or rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Full jitter around `delayMs`: half of it to one and a half, so that many waiters do not move in step. */
export function jittered(clock: Clock, delayMs: number): number {
  return delayMs * (0.5 + clock.random());
}
