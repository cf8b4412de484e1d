import { PassThrough } from 'node:stream';
import { messageOf } from '#domain/errors.ts';
import type { OrderEvent } from '#domain/order.ts';
import { isTerminal } from '#domain/order-state.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { COMMENT_EVERY_MS } from './server-sent-events.ts';

const POLL_EVERY_MS = 200;
/** A reader with more than this unread is not asked about until it has read on. */
const MAX_UNREAD_BYTES = 64 * 1024;

interface Follower {
  orderId: string;
  afterVersion: number;
  stream: PassThrough;
  show: (event: OrderEvent) => string;
  commentAt: number;
}

/**
 * Orders' histories as server-sent events. All followers of a warehouse share one look at the database per poll, made only
 * while somebody follows.
 */
export class EventStreams {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly followers = new Map<Store, Set<Follower>>();
  private readonly timers = new Map<Store, Timer>();
  private closed = false;

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  /** The order's events after a version, then new ones as they come; ends after the terminal event. */
  follow(store: Store, orderId: string, afterVersion: number, show: Follower['show']): PassThrough {
    const stream = new PassThrough();
    const follower: Follower = { orderId, afterVersion, stream, show, commentAt: this.clock.monotonic() + COMMENT_EVERY_MS };
    const all = this.followers.get(store) ?? new Set();
    this.followers.set(store, all);
    all.add(follower);
    stream.once('close', () => all.delete(follower));
    stream.write('retry: 1000\n\n');
    // One whose request came in before the end, and was looked at since, must not keep the gateway from closing.
    if (this.closed) stream.end();
    else if (!this.timers.has(store)) this.schedule(store, 0);
    return stream;
  }

  /** Ends all streams; their readers come back with the id of their last event. */
  close(): void {
    this.closed = true;
    for (const timer of this.timers.values()) timer.cancel();
    for (const all of this.followers.values()) for (const { stream } of all) stream.end();
  }

  private schedule(store: Store, delayMs: number): void {
    if (this.closed) return;
    this.timers.set(
      store,
      this.clock.after(delayMs, () => void this.poll(store)),
    );
  }

  private async poll(store: Store): Promise<void> {
    const all = this.followers.get(store) ?? new Set();
    const ready = [...all].filter(({ stream }) => stream.writableLength <= MAX_UNREAD_BYTES);
    try {
      const news =
        ready.length > 0 ? await store.readEventsAfter(ready.map(({ orderId, afterVersion }) => ({ orderId, afterVersion }))) : [];
      for (const [index, follower] of ready.entries()) this.tell(follower, news[index] ?? []);
    } catch (error) {
      this.log.debug({ warehouse: store.warehouse.name, error: messageOf(error) }, 'events could not be read; trying again');
    }
    if (all.size > 0) this.schedule(store, POLL_EVERY_MS);
    else this.timers.delete(store);
  }

  private tell(follower: Follower, events: readonly OrderEvent[]): void {
    const { stream } = follower;
    // It ended while the database was asked.
    if (!stream.writable) return;
    const now = this.clock.monotonic();
    for (const event of events) {
      follower.afterVersion = event.version;
      stream.write(`id: ${event.version}\nevent: ${event.kind}\ndata: ${follower.show(event)}\n\n`);
      if (isTerminal(event.kind)) stream.end();
    }
    if (events.length > 0) follower.commentAt = now + COMMENT_EVERY_MS;
    else if (now >= follower.commentAt) {
      follower.commentAt = now + COMMENT_EVERY_MS;
      stream.write(': still here\n\n');
    }
  }
}
