import { type Clock, sleep } from './clock.ts';
import { fitSpanMs, hasMore, MIN_SPAN_MS, OUTBOX_PAGE, type OutboxEvent, type OutboxPage, type OutboxPlace } from './outbox.ts';
import type { Store } from './store.ts';

export interface OutboxReaderOptions {
  store: Pick<Store, 'outbox' | 'peers'>;
  /** The reader's name in the outbox. */
  name: string;
  /** Only the process that holds it reads. */
  lease: { name: string; holder: string };
  clock: Clock;
  /** Between two pages once it has caught up. */
  idleMs: number;
  /** Before the next look where it is not wanted, another has the lease, or it failed. */
  retryMs: number;
  /** Whether there is anybody to read for. */
  isWanted: () => boolean | Promise<boolean>;
  /** Where to begin; absent: where it stood. */
  begin?: (saved: OutboxPlace) => OutboxPlace;
  /** Called for every page, empty ones too. The place after a page is saved when this has resolved: it may get events again. */
  handle: (events: readonly OutboxEvent[]) => Promise<void>;
  /** `isFirst`: it had worked until then. */
  onFailure: (error: unknown, isFirst: boolean) => void;
}

const LEASE_TTL_MS = 3_000;
const EXTEND_BEFORE_MS = 2_000;
/** The place moves on while nothing happens; it need not be written down each time. */
const SAVE_IDLE_EVERY_MS = 5_000;

/**
 * Goes through the outbox of one warehouse, one process of the cluster at a time: whoever has the lease. At least once, in the order
 * of the outbox: after a crash or a loss of the lease it goes on where its place was saved last, with events it may have handled.
 */
export class OutboxReader {
  private readonly options: OutboxReaderOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private place: OutboxPlace | undefined;
  private leaseUntil = Number.NEGATIVE_INFINITY;
  private spanMs = MIN_SPAN_MS;
  private savedAt = Number.NEGATIVE_INFINITY;

  constructor(options: OutboxReaderOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  /** Resolves when the page under way is done. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, retryMs, onFailure } = this.options;
    let hasFailed = false;
    while (!this.stopping.signal.aborted) {
      let pauseMs = retryMs;
      try {
        pauseMs = await this.turn();
        hasFailed = false;
      } catch (error) {
        // What was handled and not saved comes again, from the place that was saved.
        this.place = undefined;
        onFailure(error, !hasFailed);
        hasFailed = true;
      }
      if (pauseMs > 0) await sleep(clock, pauseMs, this.stopping.signal).catch(() => undefined);
    }
  }

  /** One page; how long to wait for the next. */
  private async turn(): Promise<number> {
    const { store, name, idleMs, retryMs, isWanted, begin, handle } = this.options;
    if (!(await isWanted()) || !(await this.holdLease())) {
      this.place = undefined;
      return retryMs;
    }
    if (!this.place) {
      const saved = await store.outbox.readPlace(name);
      this.place = begin ? begin(saved) : saved;
    }
    const from = this.place;
    const page = await store.outbox.readOutbox(from, { limit: OUTBOX_PAGE, spanMs: this.spanMs });
    await handle(page.events);
    this.spanMs = fitSpanMs(this.spanMs, page);
    await this.goOn(page);
    return hasMore(page, from) ? 0 : idleMs;
  }

  private async holdLease(): Promise<boolean> {
    const { store, lease, clock } = this.options;
    const now = clock.monotonic();
    if (now < this.leaseUntil - EXTEND_BEFORE_MS) return true;
    const { holder } = await store.peers.takeLease({ ...lease, ttlMs: LEASE_TTL_MS, detail: null });
    const isMine = holder === lease.holder;
    this.leaseUntil = isMine ? now + LEASE_TTL_MS : Number.NEGATIVE_INFINITY;
    return isMine;
  }

  private async goOn({ events, next }: OutboxPage): Promise<void> {
    const { store, name, lease, clock } = this.options;
    this.place = next;
    if (events.length === 0 && clock.monotonic() - this.savedAt < SAVE_IDLE_EVERY_MS) return;
    this.savedAt = clock.monotonic();
    if (await store.outbox.savePlace(name, next, lease)) return;
    // Somebody else has the lease by now, and goes on from what was saved before.
    this.leaseUntil = Number.NEGATIVE_INFINITY;
    this.place = undefined;
  }
}
