import { messageOf, WarehouseAway } from '#domain/errors.ts';
import { type Clock, jittered, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Pulse } from '#engine/peer-store.ts';
import type { Store, WarehouseLoad } from '#engine/store.ts';
import type { Presence } from './presence.ts';

export interface WatchOptions {
  /** Unguarded: the watch is what finds out. */
  store: Store;
  presence: Presence;
  clock: Clock;
  log: Log;
  /** Whether the database has its schema and knows the workflows; a reason why not yet otherwise. */
  readiness: () => string | undefined;
  /** It answers, for the first time or again: what has to be done before anyone else may use it. */
  onReturn: () => Promise<void>;
  /** After each look. */
  onLook: () => void;
}

const PULSE_EVERY_MS = 500;
/** Unanswered for so long, it is away. Together with the pause between two pulses: how long a request may wait for it. */
const PULSE_TIMEOUT_MS = 1_000;
/** A single broken connection is no outage: asked once more, on a new one. */
const ASK_AGAIN_MS = 120;
const COUNT_EVERY_MS = 1_000;
/** Counting takes a fiftieth of the time at most, however many orders wait. */
const COUNT_PAUSES = 50;
const MAX_COUNT_PAUSE_MS = 60_000;

/** Looks after one warehouse: whether it answers, who works there, and how much waits. */
export class WarehouseWatch {
  latest: Pulse | undefined;
  counts: Pick<WarehouseLoad, 'queued' | 'running'> | undefined;
  /** When it went away, by the wall clock. */
  awaySince: number | undefined;
  private readonly options: WatchOptions;
  private readonly stopping = new AbortController();
  /** Orders that this gateway had accepted when it counted last, and now. */
  private acceptedWhenCounted = 0;
  private accepted = 0;
  private readonly untilLook: Pause;
  private readonly untilCount: Pause;

  constructor(options: WatchOptions) {
    this.options = options;
    this.untilLook = new Pause(options.clock);
    this.untilCount = new Pause(options.clock);
  }

  /** Resolves after the first look; the others follow by themselves. */
  async start(): Promise<void> {
    await this.look();
    void this.lookOn();
    void this.countOn();
  }

  stop(): void {
    this.stopping.abort();
    this.untilLook.end();
    this.untilCount.end();
  }

  /** Something seems to be wrong: looks now instead of later. */
  soon(): void {
    this.untilLook.end();
  }

  /** Looks now; resolves when that was done. */
  async refresh(): Promise<void> {
    await this.look();
  }

  noteAccepted(count: number): void {
    this.accepted += count;
  }

  /** Orders that wait or run, with those that were accepted here since they were counted; busy slots where nobody could count. */
  get backlog(): number {
    if (!this.counts) return this.latest?.busy ?? 0;
    return this.counts.queued + this.counts.running + this.accepted - this.acceptedWhenCounted;
  }

  private async lookOn(): Promise<void> {
    const { clock } = this.options;
    while (!this.stopping.signal.aborted) {
      await this.untilLook.take(jittered(clock, PULSE_EVERY_MS));
      if (!this.stopping.signal.aborted) await this.look();
    }
  }

  private async look(): Promise<void> {
    const { presence, clock, onReturn, onLook } = this.options;
    try {
      this.latest = await this.ask();
      if (!presence.isHere) {
        await onReturn();
        this.arrive();
      }
    } catch (error) {
      const reason = reasonOf(error);
      if (presence.isHere && !(error instanceof Unanswered)) {
        await sleep(clock, ASK_AGAIN_MS);
        this.latest = await this.ask().catch((again: unknown) => void this.depart(reasonOf(again)));
      } else this.depart(reason);
    }
    if (!this.stopping.signal.aborted) onLook();
  }

  private async ask(): Promise<Pulse> {
    const { store, clock, readiness } = this.options;
    const unready = readiness();
    if (unready !== undefined) throw new Error(unready);
    const late = Promise.withResolvers<never>();
    // An answer that is there already, and that this process was too busy to read, counts.
    const timer = clock.after(PULSE_TIMEOUT_MS, () => void setImmediate(() => setImmediate(() => late.reject(new Unanswered()))));
    try {
      return await Promise.race([store.peers.readPulse(), late.promise]);
    } finally {
      timer.cancel();
    }
  }

  private arrive(): void {
    const { store, presence, clock, log } = this.options;
    presence.comeBack();
    this.untilCount.end();
    const seconds = this.awaySince === undefined ? 0 : Math.round((clock.now() - this.awaySince) / 1_000);
    if (this.awaySince !== undefined) log.info({ warehouse: store.warehouse.name, away_s: seconds }, 'the warehouse is back');
    this.awaySince = undefined;
  }

  private depart(reason: string): void {
    const { store, presence, clock, log } = this.options;
    if (this.stopping.signal.aborted) return;
    if (this.awaySince === undefined) {
      log.error({ warehouse: store.warehouse.name, reason }, 'the warehouse is away: new orders go to others');
      this.awaySince = clock.now();
    }
    this.latest = undefined;
    this.counts = undefined;
    presence.leave(reason);
  }

  /** Through the presence: a count that hangs with its database is given up with it, and taken again when it is back. */
  private async countOn(): Promise<void> {
    const { store, presence, clock } = this.options;
    while (!this.stopping.signal.aborted) {
      const startedAt = clock.monotonic();
      const acceptedBefore = this.accepted;
      // The first count opens its connection: that says nothing of how long counting takes.
      const isFirst = this.counts === undefined;
      const counts = presence.isHere ? await presence.call(() => store.readLoad()).catch(() => undefined) : undefined;
      this.counts = counts;
      this.acceptedWhenCounted = acceptedBefore;
      const tookMs = counts && !isFirst ? clock.monotonic() - startedAt : 0;
      if (this.stopping.signal.aborted) return;
      await this.untilCount.take(Math.min(MAX_COUNT_PAUSE_MS, Math.max(COUNT_EVERY_MS, COUNT_PAUSES * tookMs)));
    }
  }
}

/** Between two turns; whoever cannot wait ends it. */
class Pause {
  private readonly clock: Clock;
  private ending = new AbortController();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  async take(ms: number): Promise<void> {
    this.ending = new AbortController();
    await sleep(this.clock, ms, this.ending.signal).catch(() => undefined);
  }

  end(): void {
    this.ending.abort();
  }
}

function reasonOf(error: unknown): string {
  return error instanceof WarehouseAway ? error.reason : messageOf(error);
}

class Unanswered extends Error {
  constructor() {
    super(`no answer within ${PULSE_TIMEOUT_MS} ms`);
  }
}
