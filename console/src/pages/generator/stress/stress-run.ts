import type { OrderContent } from '#domain/order.ts';
import type { LiveEvent } from '../../../api/live.ts';
import { type End, type Figures, figuresOf, newTally, type Tally } from './figures.ts';

export interface StressOptions {
  orders: number;
  concurrency: number;
  /** Each in turn; none: no order names one. */
  regions: readonly string[];
}

export type Submitted =
  | { outcome: 'accepted'; orderId: string; startTime: string }
  | { outcome: 'busy'; retryAfterMs: number }
  | { outcome: 'unanswered' }
  | { outcome: 'refused'; reason: string };

/** An order as a look at it finds it. */
export interface Seen {
  orderId: string;
  status: string;
  endedAt: string | undefined;
}

/** All that a run needs of the world. */
export interface Doors {
  submit: (order: OrderContent) => Promise<Submitted>;
  /** One page of the run's orders. */
  readPage: (name: string, cursor: string | undefined) => Promise<{ seen: Seen[]; next: string | undefined; isWhole: boolean }>;
  /** `null`: there is no such order. */
  readOrder: (orderId: string) => Promise<Seen | null>;
  onEvents: (listener: (events: readonly LiveEvent[]) => void) => () => void;
  onGap: (listener: () => void) => () => void;
  /** How long the gateway took for each answer. */
  onAnswer: (listener: (tookMs: number) => void) => () => void;
  nowMs: () => number;
  /** Resolves early, never rejects, when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export type Phase = 'submitting' | 'following' | 'done';

export interface StressState extends Figures {
  /** Of the run: the customer name of its orders, and how their tracking ids begin. */
  name: string;
  concurrency: number;
  phase: Phase;
  isAborted: boolean;
  elapsedMs: number;
}

const REPEATS_AT_MOST = 5;
const REPEAT_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 5_000;
const LOOK_EVERY_AT_MOST_MS = 60_000;
/** So few are asked about one by one. */
const FEW = 20;
/** Ends that are told before the answer to their order is read; of other orders, mostly. */
const MAX_EARLY = 5_000;

const END_OF_KIND: Readonly<Record<string, End>> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  attention_needed: 'needs_attention',
};
const ENDS: ReadonlySet<string> = new Set(Object.values(END_OF_KIND));

interface Ended {
  end: End;
  atMs: number;
}

/**
 * Places orders and follows each to its end. Ends come with the live events; what those missed (the page was hidden, the
 * connection was lost) is found by looking, as soon as nothing has ended for a while.
 */
export class StressRun {
  readonly name: string;
  private readonly options: StressOptions;
  private readonly doors: Doors;
  private readonly tally: Tally;
  private readonly stopped = new AbortController();
  private readonly aborted = new AbortController();
  /** By a person: a run that has come to its end places nothing more either. */
  private isAborted = false;
  /** Accepted and not ended: when each was accepted, by the gateway's clock. */
  private readonly open = new Map<string, number>();
  private readonly early = new Map<string, Ended>();
  private phase: Phase = 'submitting';
  private next = 1;
  private hasGap = false;
  private lastNewsAtMs: number;
  private doneAtMs: number | undefined;

  constructor(name: string, options: StressOptions, doors: Doors) {
    this.name = name;
    this.options = options;
    this.doors = doors;
    this.tally = newTally(options.orders, doors.nowMs());
    this.lastNewsAtMs = doors.nowMs();
  }

  get state(): StressState {
    const { name, phase, tally } = this;
    return {
      ...figuresOf(tally),
      ...{ name, phase, concurrency: this.options.concurrency, isAborted: this.isAborted },
      elapsedMs: (this.doneAtMs ?? this.doors.nowMs()) - tally.startedAtMs,
    };
  }

  /** Resolves when every order has ended, or nobody follows any more. */
  async run(): Promise<void> {
    const { doors, tally } = this;
    const leave = [
      doors.onEvents((events) => this.take(events)),
      doors.onGap(() => {
        this.hasGap = true;
      }),
      doors.onAnswer((tookMs) => tally.answerMs.push(tookMs)),
    ];
    const looking = this.keepLooking();
    await Promise.all(Array.from({ length: this.options.concurrency }, () => this.submitSome()));
    if (this.phase === 'submitting') this.phase = 'following';
    this.settle();
    await looking;
    for (const stop of leave) stop();
  }

  /** No further order is placed; those that are under way are followed. */
  abort(): void {
    this.isAborted = true;
    this.aborted.abort();
  }

  /** Nothing is placed or followed any more. The orders go on. */
  stop(): void {
    this.aborted.abort();
    if (this.isDone) return;
    this.phase = 'done';
    this.doneAtMs = this.doors.nowMs();
    this.stopped.abort();
  }

  private get isDone(): boolean {
    return this.phase === 'done';
  }

  private async submitSome(): Promise<void> {
    while (this.next <= this.options.orders && !this.aborted.signal.aborted) {
      const order = this.orderOf(this.next);
      this.next += 1;
      await this.submit(order);
    }
  }

  private orderOf(number: number): OrderContent {
    const { regions } = this.options;
    const region = regions[(number - 1) % Math.max(1, regions.length)];
    const common = { customer_name: this.name, symbol: 'STRESS', quantity: 1 + (number % 10), tracking_id: `${this.name}-${number}` };
    return region === undefined ? common : { ...common, region };
  }

  /** Sent again as often as needed: its tracking id makes it one order. */
  private async submit(order: OrderContent): Promise<void> {
    const { tally, doors } = this;
    for (let repeats = 0; ; ) {
      const submitted = await doors.submit(order);
      if (submitted.outcome === 'accepted') return this.accept(submitted.orderId, Date.parse(submitted.startTime));
      if (submitted.outcome === 'refused') return this.refuse(submitted.reason);
      if (this.aborted.signal.aborted) return this.refuse('not placed before the run was aborted');
      if (submitted.outcome === 'busy') tally.waits += 1;
      else if (repeats === REPEATS_AT_MOST) return this.refuse('no answer came');
      else {
        repeats += 1;
        tally.repeats += 1;
      }
      await doors.wait(submitted.outcome === 'busy' ? submitted.retryAfterMs : REPEAT_AFTER_MS, this.aborted.signal);
    }
  }

  private accept(orderId: string, acceptedAtMs: number): void {
    const { tally, early } = this;
    tally.accepted += 1;
    tally.lastAcceptedAtMs = this.doors.nowMs();
    this.open.set(orderId, acceptedAtMs);
    const ended = early.get(orderId);
    if (ended) this.end(orderId, ended);
  }

  private refuse(reason: string): void {
    this.tally.refusals.set(reason, (this.tally.refusals.get(reason) ?? 0) + 1);
  }

  private take(events: readonly LiveEvent[]): void {
    const { open, early } = this;
    for (const { order_id: orderId, kind, at } of events) {
      const end = END_OF_KIND[kind];
      if (end === undefined) continue;
      const ended = { end, atMs: Date.parse(at) };
      if (open.has(orderId)) this.end(orderId, ended);
      else if (this.phase === 'submitting') {
        early.set(orderId, ended);
        const [oldest] = early.keys();
        if (early.size > MAX_EARLY && oldest !== undefined) early.delete(oldest);
      }
    }
  }

  private end(orderId: string, { end, atMs }: Ended): void {
    const { open, tally } = this;
    const acceptedAtMs = open.get(orderId);
    if (acceptedAtMs === undefined || this.isDone) return;
    open.delete(orderId);
    tally.ends[end] += 1;
    if (end !== 'needs_attention') tally.completionMs.push(atMs - acceptedAtMs);
    tally.lastEndedAtMs = this.doors.nowMs();
    this.lastNewsAtMs = tally.lastEndedAtMs;
    this.settle();
  }

  private settle(): void {
    if (this.phase === 'following' && this.open.size === 0) this.stop();
  }

  /** Looks when nothing was heard for a while; the longer nothing is found, the less often. */
  private async keepLooking(): Promise<void> {
    let everyMs = LOOK_EVERY_MS;
    while (!this.isDone) {
      await this.doors.wait(everyMs, this.stopped.signal);
      const isQuiet = this.doors.nowMs() - this.lastNewsAtMs >= LOOK_EVERY_MS;
      if (this.isDone || this.open.size === 0 || !(isQuiet || this.hasGap)) continue;
      this.hasGap = false;
      const before = this.open.size;
      await this.look().catch(() => {
        this.hasGap = true;
      });
      everyMs = this.open.size < before ? LOOK_EVERY_MS : Math.min(everyMs * 2, LOOK_EVERY_AT_MOST_MS);
    }
  }

  private async look(): Promise<void> {
    if (this.open.size > FEW) {
      const unseen = await this.lookThroughPages();
      for (const orderId of unseen.slice(0, FEW)) await this.lookAt(orderId);
    } else for (const orderId of [...this.open.keys()]) await this.lookAt(orderId);
  }

  /** Open orders that no page had; none where a warehouse did not answer. */
  private async lookThroughPages(): Promise<string[]> {
    const unseen = new Set(this.open.keys());
    let cursor: string | undefined;
    do {
      const { seen, next, isWhole } = await this.doors.readPage(this.name, cursor);
      for (const one of seen) {
        unseen.delete(one.orderId);
        this.note(one);
      }
      if (!isWhole) return [];
      cursor = next;
    } while (cursor !== undefined && unseen.size > 0 && !this.isDone);
    return cursor === undefined ? [...unseen] : [];
  }

  private async lookAt(orderId: string): Promise<void> {
    if (this.isDone) return;
    const seen = await this.doors.readOrder(orderId);
    if (seen) this.note(seen);
    else if (this.open.delete(orderId)) {
      this.tally.lost += 1;
      this.settle();
    }
  }

  private note({ orderId, status, endedAt }: Seen): void {
    if (!ENDS.has(status)) return;
    this.end(orderId, { end: status as End, atMs: endedAt === undefined ? Number.NaN : Date.parse(endedAt) });
  }
}
