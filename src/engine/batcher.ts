import { ConveyorError } from '#domain/errors.ts';

export interface BatcherOptions<Item, Result> {
  /** Writes a batch; answers in the order of its items. A rejection concerns the whole batch. */
  flush: (items: Item[]) => Promise<Result[]>;
  /** Most items of one batch. */
  maxBatch: number;
  /** Most batches under way at once. */
  maxInFlight: number;
  /** Most items that may wait; one more is refused with `overloaded`. */
  maxWaiting: number;
  /** Whether a failed batch may hold one bad item: then it is halved until the bad one stands alone. */
  isItemFault?: (error: unknown) => boolean;
}

interface Waiter<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit without a timer: whatever arrives while a batch is under way goes into the next one. An idle batcher
 * adds no latency, a busy one grows its batches by itself.
 */
export class Batcher<Item, Result> {
  private readonly options: BatcherOptions<Item, Result>;
  private waiting: Waiter<Item, Result>[] = [];
  private inFlight = 0;
  private scheduled = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.options = options;
  }

  /** Items that wait for their batch to begin. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /** Resolves with the item's own result once its batch was written. */
  add(item: Item): Promise<Result> {
    if (this.waiting.length >= this.options.maxWaiting) {
      return Promise.reject(new ConveyorError('overloaded', `${this.waiting.length} requests are waiting already`));
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.schedule();
    });
  }

  /**
   * Lets everything of this turn of the event loop gather before the first flush. A full batch does not wait for that: while thousands
   * of sockets have something to read a turn takes seconds, and nothing would be written meanwhile.
   */
  private schedule(): void {
    if (this.inFlight >= this.options.maxInFlight) return;
    if (this.waiting.length >= this.options.maxBatch) this.pump();
    else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        this.pump();
      });
    }
  }

  private pump(): void {
    while (this.waiting.length > 0 && this.inFlight < this.options.maxInFlight) {
      const batch = this.waiting.length <= this.options.maxBatch ? this.waiting : this.waiting.slice(0, this.options.maxBatch);
      this.waiting = batch === this.waiting ? [] : this.waiting.slice(batch.length);
      this.inFlight += 1;
      void this.write(batch).finally(() => {
        this.inFlight -= 1;
        if (this.waiting.length > 0) this.schedule();
      });
    }
  }

  /** Never rejects: every waiter of the batch is answered. */
  private async write(batch: Waiter<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.flush(batch.map((waiter) => waiter.item));
      if (results.length !== batch.length) throw new Error(`a flush of ${batch.length} items answered ${results.length}`);
      for (const [index, waiter] of batch.entries()) waiter.resolve(results[index] as Result);
    } catch (error) {
      if (batch.length > 1 && this.options.isItemFault?.(error)) {
        const half = batch.length >>> 1;
        await this.write(batch.slice(0, half));
        await this.write(batch.slice(half));
        return;
      }
      for (const waiter of batch) waiter.reject(error);
    }
  }
}
