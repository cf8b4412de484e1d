import type { Json } from '#domain/json.ts';
import type { Because, Order, OrderContent, OrderEvent } from '#domain/order.ts';
import type { Direction, EventKind, OrderState } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';

/** The columns of `orders` that `ORDER_COLUMNS` names. */
export interface OrderRow {
  order_id: string;
  customer_id: string;
  workflow_id: number;
  content: OrderContent;
  state: OrderState;
  direction: Direction;
  step: number;
  owner_session: number | null;
  fence: number;
  version: number;
  next_run_at: EpochMs;
  retries: number;
  accepted_at: EpochMs;
  ended_at: EpochMs | null;
  requested: 'cancel' | null;
  crash_count: number;
  retry_of: string | null;
  routed_because: Because | null;
  keyed: boolean;
}

export const ORDER_COLUMNS = `o.order_id, o.customer_id, o.workflow_id, o.content, o.state, o.direction, o.step, o.owner_session,
       o.fence, o.version, o.next_run_at, o.retries, o.accepted_at, o.ended_at, o.requested, o.crash_count, o.retry_of,
       o.routed_because, o.keyed`;

export function orderOf(row: OrderRow, workflow: { name: string; version: number }): Order {
  return {
    orderId: row.order_id,
    customerId: row.customer_id,
    workflow: workflow.name,
    workflowVersion: workflow.version,
    content: row.content,
    state: row.state,
    direction: row.direction,
    step: row.step,
    ownerSession: row.owner_session,
    fence: row.fence,
    version: row.version,
    nextRunAt: row.next_run_at,
    retries: row.retries,
    acceptedAt: row.accepted_at,
    endedAt: row.ended_at,
    requested: row.requested,
    crashCount: row.crash_count,
    retryOf: row.retry_of,
    routedBecause: row.routed_because,
    keyed: row.keyed,
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
