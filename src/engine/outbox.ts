import type { OrderContent, OrderEvent } from '#domain/order.ts';

/**
 * The outbox of a warehouse is its `order_events`: what has happened is written there in the same transaction as the change itself,
 * so nothing can be lost between the two. A reader goes through it in the order of time, and never past the oldest of our
 * transactions that is still open: an event that cannot be seen yet belongs to one of those, and is younger than its start
 * (`at` is taken while its statement runs). So nobody skips what commits late, and an order's events come in their order.
 */
export interface OutboxStore {
  /** Events after a place, oldest first; at most `limit`, and none from beyond `spanMs` after it. */
  readOutbox(after: OutboxPlace, options: { limit: number; spanMs: number }): Promise<OutboxPage>;
  /** Where the reader of this name stands; from the beginning if it never was here. */
  readPlace(name: string): Promise<OutboxPlace>;
  /** Saved only while the holder has the lease; answers whether it was. */
  savePlace(name: string, place: OutboxPlace, lease: { name: string; holder: string }): Promise<boolean>;
  /** How many milliseconds the reader of this name is behind; `undefined`: it never was here. */
  readLag(name: string): Promise<number | undefined>;
}

/** Between two events. The moment is PostgreSQL's own text: a millisecond holds a thousand of its moments. */
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
}

export interface OutboxPage {
  events: OutboxEvent[];
  /** Where to go on. */
  next: OutboxPlace;
  /** There was nothing more up to now. */
  isCaughtUp: boolean;
}
