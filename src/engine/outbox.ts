import type { OrderContent, OrderEvent } from '#domain/order.ts';

/**
 * The outbox of a warehouse are its histories: what has happened is written there in the same transaction as the change itself, so
 * nothing can be lost between the two. Another row may tell of an event later, at the same time as before. A reader goes through it in the order of time, and never past the oldest of our
 * transactions that is still open: an event that cannot be seen yet belongs to one of those, and is younger than its start
 * (`at` is taken while its statement runs). So nobody skips what commits late, and an order's events come in their order.
 */
export interface OutboxStore {
  /** Events after a place, oldest first; at most `limit`, and none from beyond `spanMs` after it. */
  readOutbox(after: OutboxPlace, options: { limit: number; spanMs: number }): Promise<OutboxPage>;
  /** Where a reader stands that wants what is to come: whatever cannot be seen yet is after it. */
  readNow(): Promise<OutboxPlace>;
  /** Where the reader of this name stands; from the beginning if it never was here. */
  readPlace(name: string): Promise<OutboxPlace>;
  /** Saved only while the holder has the lease; answers whether it was. */
  savePlace(name: string, place: OutboxPlace, lease: { name: string; holder: string }): Promise<boolean>;
  /** How many milliseconds the reader of this name is behind; `undefined`: it never was here. */
  readLag(name: string): Promise<number | undefined>;
}

/** Between two events. The moment is a text that PostgreSQL reads, mostly its own: a millisecond holds a thousand of its moments. */
export interface OutboxPlace {
  at: string;
  orderId: string;
  version: number;
}

export const OUTBOX_BEGIN: OutboxPlace = { at: '1970-01-01 00:00:00+00', orderId: '00000000-0000-0000-0000-000000000000', version: 0 };

export interface OutboxEvent {
  event: OrderEvent;
  content: OrderContent;
  customerId: string;
  /** Of the step that the event tells of. */
  stepName: string;
  /** Of the node that wrote it. */
  nodeId: string | undefined;
  /** Right behind it. */
  place: OutboxPlace;
}

export interface OutboxPage {
  events: OutboxEvent[];
  /** Where to go on. */
  next: OutboxPlace;
  /** There was nothing more up to now. */
  isCaughtUp: boolean;
}

/** How many events a reader takes at a time. */
export const OUTBOX_PAGE = 500;
export const MIN_SPAN_MS = 1_000;
const MAX_SPAN_MS = 86_400_000;

/** Of the next page: however dense or sparse the events of the past are, a page of them is neither a long look nor an empty one for long. */
export function fitSpanMs(spanMs: number, { events, isCaughtUp }: OutboxPage): number {
  if (events.length >= OUTBOX_PAGE) return Math.max(MIN_SPAN_MS, spanMs / 2);
  if (!isCaughtUp && events.length < OUTBOX_PAGE / 2) return Math.min(MAX_SPAN_MS, spanMs * 2);
  return spanMs;
}

/** Whether there is more to read at once: a transaction that is open keeps a reader where it is. */
export function hasMore({ next, isCaughtUp }: OutboxPage, from: OutboxPlace): boolean {
  return !isCaughtUp && comparePlaces(next, from) > 0;
}

/** Negative where `a` is before `b`. */
export function comparePlaces(a: OutboxPlace, b: OutboxPlace): number {
  const apart = microsOf(a) - microsOf(b);
  if (apart !== 0) return apart;
  return a.orderId === b.orderId ? a.version - b.version : a.orderId < b.orderId ? -1 : 1;
}

/** The place's moment in microseconds since 1970. */
export function microsOf({ at }: OutboxPlace): number {
  const beyondMs = /\.\d{3}(\d{1,3})/.exec(at)?.[1] ?? '';
  return Date.parse(at) * 1_000 + Number(beyondMs.padEnd(3, '0'));
}
