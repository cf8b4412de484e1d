/** Where a product keeps its orders: a database of the benchmark's PostgreSQL, a Redis, or a Restate (its ingress). */
export interface Place {
  url: string;
  /** Restate's second address. */
  adminUrl?: string;
}

/** The share of one process: orders are numbered, and those from `from` up to `to` are for it to submit, if anybody has to. */
export interface Share {
  /** 0 or 1. */
  process: number;
  from: number;
  to: number;
  /** The empty handler of a step, 0 to 3; it only counts. */
  run(order: number, step: number): void;
}

/** What a process does once it is loaded and connected. */
export interface Worker {
  begin(): Promise<void>;
  stop(): Promise<void>;
}

/** How a product carries the order; one file each, used as its documentation says. */
export interface Carrier {
  /** Makes the place ready and stores the orders 0 to count - 1 in it, unless workers submit them. */
  prepare(place: Place, count: number): Promise<void>;
  connect(place: Place, share: Share): Promise<Worker>;
  /** When the last of so many orders ended, in ms of the epoch; undefined while one has not, by what the product has stored. */
  endedAt(place: Place, count: number): Promise<number | undefined>;
}

export const STEP_NAMES = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'] as const;
/** Orders under way in one process. */
export const CONCURRENCY = 50;

/** Calls `each` for every number of the share, so many at a time. */
export async function inParallel({ from, to }: Share, each: (order: number) => PromiseLike<unknown>): Promise<void> {
  let next = from;
  const lane = async (): Promise<void> => {
    while (next < to) {
      const order = next;
      next += 1;
      await each(order);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
}

/** Calls `store` with the numbers 0 to count - 1, a thousand at a time. */
export async function inBatches(count: number, store: (orders: number[]) => Promise<unknown>): Promise<void> {
  const size = 1_000;
  for (let from = 0; from < count; from += size)
    await store(Array.from({ length: Math.min(size, count - from) }, (_, index) => from + index));
}
