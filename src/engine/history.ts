import { assert } from '#domain/assert.ts';
import type { Json } from '#domain/json.ts';
import type { Order, OrderEvent } from '#domain/order.ts';
import { type Position, positionAfter } from '#domain/order-state.ts';
import type { ClaimedOrder } from './store.ts';

/** Where the history says that an order stands after its last event. */
export function positionOf(order: Pick<Order, 'step' | 'direction'>, events: readonly OrderEvent[]): Position {
  const last = events.at(-1);
  return last ? positionAfter(last.kind, last) : { step: order.step, direction: order.direction };
}

/** What of an order's row its owner needs. */
export type OrderInHand = Pick<Order, RowFields | 'state'>;
type RowFields =
  | ('orderId' | 'customerId' | 'workflow' | 'workflowVersion' | 'content' | 'keyed')
  | ('step' | 'direction' | 'fence' | 'version' | 'retries' | 'requested' | 'crashCount');

/** Where an order stands: the row of one that runs says where it was claimed, its events what followed. */
export function standingOf(order: Pick<Order, 'state' | 'step' | 'direction'>, events: readonly OrderEvent[]): Position {
  return order.state === 'running' ? positionOf(order, events) : order;
}

/**
 * An order in its owner's hands, from its row and its complete history. A fresh order, whose history is only its
 * acceptance and this claim, may come without events.
 */
export function foldHistory(order: OrderInHand, events: readonly OrderEvent[]): ClaimedOrder {
  const at = positionOf(order, events);
  const results: Json[] = [];
  let brokenStep: ClaimedOrder['brokenStep'];
  for (const event of events) {
    if (event.kind === 'step_completed') results[event.step - 1] = memberOf(event.data, 'result') ?? null;
    if (event.kind === 'step_failed') brokenStep = { step: event.step, outcome: memberOf(event.data, 'unknown') ? 'unknown' : 'failed' };
    if (event.kind === 'cancel_started') brokenStep = { step: event.step, outcome: 'unknown' };
  }
  const last = events.at(-1);
  const moved = last !== undefined && last.version !== order.version;
  assert(order.state === 'running', 'only an order that is running is in somebody’s hands');
  return {
    orderId: order.orderId,
    customerId: order.customerId,
    workflow: order.workflow,
    workflowVersion: order.workflowVersion,
    content: order.content,
    step: at.step,
    direction: at.direction,
    fence: order.fence,
    version: last?.version ?? order.version,
    retries: moved ? 0 : order.retries,
    attempt: Math.max(1, countStarts(events, at)),
    results,
    brokenStep,
    cancelRequested: order.requested === 'cancel',
    crashCount: order.crashCount,
    keyed: order.keyed,
  };
}

/** How often a slot began the step at `at`: by a claim there, or by going on from the step before. */
export function countStarts(events: readonly OrderEvent[], at: Position): number {
  let starts = 0;
  let justArrived = false;
  for (const event of events) {
    const next = positionAfter(event.kind, event);
    const isHere = next.step === at.step && next.direction === at.direction;
    const arrived = isHere && event.sessionId !== null && (event.step !== next.step || event.direction !== next.direction);
    if (arrived || (isHere && event.kind === 'claimed')) starts += 1;
    // A node that leaves hands its orders back before it begins their next step.
    if (justArrived && event.kind === 'handed_back') starts -= 1;
    justArrived = arrived;
  }
  return starts;
}

function memberOf(data: Json, name: string): Json | undefined {
  return data !== null && typeof data === 'object' && !Array.isArray(data) ? data[name] : undefined;
}
