import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import {
  comparePlaces,
  fitSpanMs,
  hasMore,
  MIN_SPAN_MS,
  microsOf,
  OUTBOX_PAGE,
  type OutboxPage,
  type OutboxPlace,
  type OutboxStore,
} from '#engine/outbox.ts';
import type { Follower } from './follower.ts';
import { livePageOf } from './message.ts';

const IDLE_MS = 250;
const RETRY_MS = 1_000;
/** Whoever comes back to an older place goes on from now. */
const MAX_AGE_MS = 5 * 60_000;
/** Another gateway, whose id it is, may have read a little further; anything beyond was made of another clock. */
const MAX_AHEAD_MS = 10_000;
/** More happens than can be told: rather something is skipped than told ever later. */
const MAX_BEHIND_MS = 10_000;

export interface LiveReaderOptions {
  warehouse: string;
  outbox: Pick<OutboxStore, 'readNow' | 'readOutbox'>;
  clock: Clock;
  log: Log;
}

/**
 * Reads the outbox of one warehouse for all who follow it, from now on, as long as somebody does. Whoever comes back to an earlier
 * place gets what lies between from a reading of its own, and joins the others where they stand. A warehouse that is away is asked
 * again until it answers; nobody who follows has to know.
 */
export class LiveReader {
  private readonly options: LiveReaderOptions;
  private readonly closing = new AbortController();
  /** All, with those who do not stand where the reader does. */
  private readonly followers = new Set<Follower>();
  private readonly joined = new Set<Follower>();
  private isRunning = false;
  /** Settled once it was asked for its place, with success or without. */
  private asked = Promise.withResolvers<void>();
  private place: OutboxPlace | undefined;
  private spanMs = MIN_SPAN_MS;
  /** Since when every page was full. */
  private fullSince: number | undefined;

  constructor(options: LiveReaderOptions) {
    this.options = options;
  }

  /** Begins to read where nobody followed before. Resolves when it is known where now is, or that the warehouse does not answer. */
  admit(follower: Follower): Promise<void> {
    this.followers.add(follower);
    follower.stream.once('close', () => {
      this.followers.delete(follower);
      this.joined.delete(follower);
    });
    if (!this.isRunning) void this.run();
    return this.asked.promise;
  }

  /** Tells the follower everything after the place, or from now on. */
  serve(follower: Follower, from: OutboxPlace | undefined): void {
    if (!this.serves(follower)) return;
    if (from === undefined) {
      this.join(follower);
      return;
    }
    follower.standAt(this.options.warehouse, from);
    void this.catchUp(follower, from);
  }

  close(): void {
    this.closing.abort();
  }

  private serves(follower: Follower): boolean {
    return this.followers.has(follower) && !this.closing.signal.aborted;
  }

  private join(follower: Follower): void {
    const { warehouse } = this.options;
    if (this.place && !follower.placeIn(warehouse)) follower.standAt(warehouse, this.place);
    this.joined.add(follower);
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    while (this.followers.size > 0 && !this.closing.signal.aborted) {
      const pauseMs = await this.turn().catch((error: unknown) => this.noteFailure(error));
      this.asked.resolve();
      await this.pause(pauseMs);
    }
    this.isRunning = false;
    this.place = undefined;
    this.asked = Promise.withResolvers();
  }

  /** One page for all who stand here; how long to wait for the next. */
  private async turn(): Promise<number> {
    const { outbox, warehouse } = this.options;
    const from = this.place;
    if (!from) {
      this.place = await outbox.readNow();
      return 0;
    }
    const page = await outbox.readOutbox(from, { limit: OUTBOX_PAGE, spanMs: this.spanMs });
    this.spanMs = fitSpanMs(this.spanMs, page);
    this.place = page.next;
    const told = livePageOf(from, page, warehouse);
    for (const follower of this.joined) follower.tell(warehouse, told);
    if (this.isTooFarBehind(page)) await this.leap();
    return hasMore(page, from) ? 0 : IDLE_MS;
  }

  private isTooFarBehind({ events }: OutboxPage): boolean {
    const now = this.options.clock.monotonic();
    this.fullSince = events.length < OUTBOX_PAGE ? undefined : (this.fullSince ?? now);
    return this.fullSince !== undefined && now - this.fullSince > MAX_BEHIND_MS;
  }

  private async leap(): Promise<void> {
    const now = await this.options.outbox.readNow();
    this.place = now;
    this.fullSince = undefined;
    for (const follower of this.joined) follower.skipTo(this.options.warehouse, now, 'too_many');
  }

  /** Reads for this follower alone, until it stands where the others do or would come too late. */
  private async catchUp(follower: Follower, begin: OutboxPlace): Promise<void> {
    const { outbox, warehouse } = this.options;
    let [from, spanMs] = [begin, MIN_SPAN_MS];
    while (this.serves(follower) && !this.standsHere(follower, from)) {
      if (!this.place || !follower.hasRoom) {
        await this.pause(IDLE_MS);
        continue;
      }
      try {
        const page = await outbox.readOutbox(from, { limit: OUTBOX_PAGE, spanMs });
        spanMs = fitSpanMs(spanMs, page);
        follower.tell(warehouse, livePageOf(from, page, warehouse));
        // An open transaction may keep it where it is.
        if (comparePlaces(page.next, from) <= 0) await this.pause(IDLE_MS);
        from = page.next;
      } catch (error) {
        await this.pause(this.noteFailure(error));
      }
    }
    if (this.serves(follower)) this.join(follower);
  }

  /** Whether the follower can join the others; one who cannot be told everything is taken to where they stand. */
  private standsHere(follower: Follower, from: OutboxPlace): boolean {
    if (!this.place) return false;
    const behindMs = (microsOf(this.place) - microsOf(from)) / 1_000;
    if (behindMs <= MAX_AGE_MS && behindMs >= -MAX_AHEAD_MS) return comparePlaces(from, this.place) >= 0;
    follower.skipTo(this.options.warehouse, this.place, 'too_old');
    return true;
  }

  private noteFailure(error: unknown): number {
    const { log, warehouse } = this.options;
    log.debug({ warehouse, error: messageOf(error) }, 'events could not be read for those who follow; trying again');
    return RETRY_MS;
  }

  private async pause(ms: number): Promise<void> {
    if (ms > 0) await sleep(this.options.clock, ms, this.closing.signal).catch(() => undefined);
  }
}
