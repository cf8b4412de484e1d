import { ConveyorError } from '#domain/errors.ts';
import type { OrderRecord } from '#domain/order.ts';
import { type OrderStatus, publicStatus } from '#domain/order-state.ts';
import type { BulkAction, BulkPart } from '#engine/bulk-store.ts';
import { standingOf } from '#engine/history.ts';
import type { OrderFilter } from '#engine/store.ts';
import type { OrderCriteriaJson } from '../api.ts';
import { filterOf } from '../order-filter.ts';

/** What an operation on all orders that match does to which orders, and how fast. Pure. */

export type BulkFilter = Omit<OrderFilter, 'limit'>;

/** What an order may be for the action to be possible. One that is being undone is cancelled or failed before long. */
const POSSIBLE: Record<BulkAction, readonly OrderStatus[]> = {
  cancel: ['queued', 'processing', 'needs_attention'],
  retry: ['failed', 'cancelled'],
};

/** The orders that an operation is about. Rejects a filter that selects nothing, and what the action can never be done to. */
export function bulkFilterOf(action: BulkAction, criteria: OrderCriteriaJson): BulkFilter {
  if (Object.keys(criteria).length === 0) refuse('/filter', 'must name at least one criterion: nothing is done to all orders there are');
  const possible = POSSIBLE[action];
  if (criteria.status !== undefined && !possible.includes(criteria.status))
    refuse('/filter/status', `must be ${possible.join(' or ')}: ${action} is possible in no other; it is ${criteria.status}`);
  for (const name of ['step', 'node'] as const) {
    if (action === 'retry' && criteria[name] !== undefined)
      refuse(`/filter/${name}`, 'selects open orders, and only those that failed or were cancelled can be retried');
  }
  const filter = inFilter(() => filterOf(criteria, { role: 'operator', name: '' }));
  return { ...filter, statuses: filter.statuses ?? possible };
}

/** What is wrong with a criterion is named by its place in the body. */
export function inFilter<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConveyorError)) throw error;
    const faults = error.faults.map(({ field, reason }) => ({ field: `/filter/${field}`, reason }));
    throw new ConveyorError(error.code, `/filter: ${error.message}`, { faults });
  }
}

function refuse(field: string, reason: string): never {
  throw new ConveyorError('invalid-request', `${field} ${reason}`, { faults: [{ field, reason }] });
}

/** How much of the pace each warehouse has: as much of it as it has of the orders, so that all end at about the same time. */
export function sharesOf(matching: readonly number[]): number[] {
  const weights = matching.map((count) => Math.max(1, count));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** Orders per second that a part may see to. */
export function paceOf({ pace, share }: Pick<BulkPart, 'pace' | 'share'>): number {
  return pace * share;
}

/** How many orders are seen to before that is written down: half a second's. */
export function batchSizeOf(perSecond: number): number {
  return Math.max(1, Math.floor(perSecond / 2));
}

/** What may have changed since an order was found: where it stands, and who has it. */
export function stillMatches(record: OrderRecord, filter: BulkFilter, nameOfStep: (step: number) => string): boolean {
  const { order, events, nodes } = record;
  const at = standingOf(order, events);
  const owner = order.ownerSession === null ? undefined : nodes.get(order.ownerSession)?.nodeId;
  return (
    (filter.statuses?.includes(publicStatus(order.state, at.direction)) ?? true) &&
    (filter.step === undefined || filter.step === nameOfStep(at.step)) &&
    (filter.nodeId === undefined || filter.nodeId === owner)
  );
}

/** What the history of each order says of why: that it was one of many. */
export function reasonOf({ bulkId, reason }: Pick<BulkPart, 'bulkId' | 'reason'>): string {
  return reason === undefined ? `bulk ${bulkId}` : `${reason} (bulk ${bulkId})`;
}
