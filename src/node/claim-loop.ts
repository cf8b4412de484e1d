import { type Clock, jittered, sleep } from '#engine/clock.ts';
import type { ClaimedOrder } from '#engine/store.ts';

export interface ClaimLoopOptions {
  clock: Clock;
  freeSlots: () => number;
  claim: (limit: number) => Promise<ClaimedOrder[]>;
  start: (order: ClaimedOrder) => void;
  /** The answer to a claim was lost: orders may be ours that we do not know of. */
  onLostAnswer: (error: unknown) => void;
}

const RETRY_AFTER_MS = 200;

/**
 * Takes work into free slots. Claims when told that there is work, and again as long as a claim came back full; else it is
 * quiet. While every slot is busy nobody hints, so being full counts as having been told.
 */
export class ClaimLoop {
  private readonly options: ClaimLoopOptions;
  private workMayWait = false;
  private running = false;
  private stopped = false;

  constructor(options: ClaimLoopOptions) {
    this.options = options;
  }

  /** There may be work. */
  wake(): void {
    this.workMayWait = true;
    this.kick();
  }

  /** A slot became free: goes on where a full claim stopped. */
  slotFreed(): void {
    if (this.workMayWait) this.kick();
  }

  stop(): void {
    this.stopped = true;
  }

  private kick(): void {
    if (this.running || this.stopped) return;
    this.running = true;
    // One turn later: whatever else becomes free or is written in this turn goes first.
    setImmediate(() => void this.run());
  }

  private async run(): Promise<void> {
    while (!this.stopped && this.workMayWait && this.options.freeSlots() > 0) {
      this.workMayWait = false;
      try {
        const limit = this.options.freeSlots();
        const orders = await this.options.claim(limit);
        for (const order of orders) this.options.start(order);
        if (orders.length >= limit || this.options.freeSlots() === 0) this.workMayWait = true;
      } catch (error) {
        this.workMayWait = true;
        this.options.onLostAnswer(error);
        await sleep(this.options.clock, jittered(this.options.clock, RETRY_AFTER_MS));
      }
    }
    this.running = false;
  }
}
