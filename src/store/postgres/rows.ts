import type { Json } from '#domain/json.ts';
import type { Because, Order, OrderContent, OrderEvent } from '#domain/order.ts';
import type { Direction, EventKind, OrderState } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import type { OrderInHand } from '#engine/history.ts';

/** What whoever has an order in hand needs of its row: the columns of `HAND_COLUMNS`. */
export interface HandRow {
  order_id: string;
  customer_id: string;
  workflow_id: number;
  content: OrderContent;
  direction: Direction;
  step: number;
  owner_session: number | null;
  fence: number;
  version: number;
  retries: number;
  requested: 'cancel' | null;
  crash_count: number;
  keyed: boolean;
}

export const HAND_COLUMNS = `o.order_id, o.customer_id, o.workflow_id, o.content, o.direction, o.step, o.owner_session, o.fence, o.version,
       o.retries, o.requested, o.crash_count, o.keyed`;

/** The columns of `orders` that `ORDER_COLUMNS` names. */
export interface OrderRow extends HandRow {
  state: OrderState;
  next_run_at: EpochMs;
  accepted_at: EpochMs;
  ended_at: EpochMs | null;
  retry_of: string | null;
  routed_because: Because | null;
}

export const ORDER_COLUMNS = `${HAND_COLUMNS}, o.state, o.next_run_at, o.accepted_at, o.ended_at, o.retry_of, o.routed_because`;

/** Of an order that a session owns. */
export function inHandOf(row: HandRow, workflow: { name: string; version: number }): OrderInHand {
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    workflow: workflow.name,
    workflowVersion: workflow.version,
    content: row.content,
    state: 'running',
    direction: row.direction,
    step: row.step,
    fence: row.fence,
    version: row.version,
    retries: row.retries,
    requested: row.requested,
    crashCount: row.crash_count,
    keyed: row.keyed,
  };
}

export function orderOf(row: OrderRow, workflow: { name: string; version: number }): Order {
  return {
    ...inHandOf(row, workflow),
    state: row.state,
    ownerSession: row.owner_session,
    nextRunAt: row.next_run_at,
    acceptedAt: row.accepted_at,
    endedAt: row.ended_at,
    retryOf: row.retry_of,
    routedBecause: row.routed_because,
  };
}

/** A history travels as one JSON array of arrays per order: one value to parse instead of a row and ten fields per event. */
export type EventTuple = [
  version: number,
  kind: EventKind,
  step: number,
  direction: Direction,
  sessionId: number | null,
  fence: number,
  atMs: number,
  data: Json,
];

/** The history of the order whose id the expression gives, after a version, oldest first. */
export function historyOf(orderId: string, afterVersion = '0'): string {
  return `(select json_agg(json_build_array(h.version, h.kind, h.step, h.direction, h.session_id, h.fence,
                                            floor(extract(epoch from h.at) * 1000), h.data) order by h.version)
             from order_history h where h.order_id = ${orderId} and h.version > ${afterVersion})`;
}

export function eventOf(orderId: string, tuple: EventTuple): OrderEvent {
  const [version, kind, step, direction, sessionId, fence, at, data] = tuple;
  return { orderId, version, kind, step, direction, sessionId, fence, at, data };
}
