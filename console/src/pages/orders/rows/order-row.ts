import { EVENT_KINDS, type EventKind, isTerminal, positionAfter } from '#domain/order-state.ts';
import type { OrderPageJson, OrderSummaryJson } from '#gateway/api.ts';
import type { LiveEvent } from '../../../api/live.ts';
import { END_STEPS, hasEnded, stepNamesOf } from '../../../parts/step-names.ts';
import type { OrderQuery } from '../query/query.ts';

/** What a row of the table knows of an order: a list of thousands keeps no contents. Pure. */

const SHOWN = [
  'order_id',
  'status',
  'current_step',
  'start_time',
  'complete_time',
  'customer_name',
  'region',
  'warehouse',
  'workflow',
  'symbol',
  'quantity',
  'tracking_id',
  'node_id',
  'execution_price',
  'waiting_because',
] as const satisfies readonly (keyof OrderSummaryJson)[];

export interface OrderRow extends Pick<OrderSummaryJson, (typeof SHOWN)[number]> {
  /** Of the last event that changed the row; absent as long as it is as it was read. */
  version?: number;
}

/** The orders of a page as rows; everything else they have is forgotten. */
export function rowsOf({ orders }: Pick<OrderPageJson, 'orders'>): OrderRow[] {
  return orders.map(
    (order) => Object.fromEntries(SHOWN.flatMap((name) => (order[name] === undefined ? [] : [[name, order[name]]]))) as unknown as OrderRow,
  );
}

/** The row after an event of its order; the same row where the event tells nothing new. */
export function applyEvent(row: OrderRow, event: LiveEvent): OrderRow {
  // A history has one end, and what was read may be newer than an event that is still on its way: its acceptance always is.
  if (hasEnded(row) || event.kind === 'accepted' || (row.version ?? 0) >= event.version || !isKnown(event.kind)) return row;
  // Why it waits the next reading tells.
  const { complete_time: _, node_id: before, waiting_because: __, ...rest } = row;
  const isWorked = event.status === 'processing' || event.status === 'rolling_back';
  const nodeId = isWorked && !LEAVES_NODE.has(event.kind) ? (event.node_id ?? before) : undefined;
  return {
    ...rest,
    status: event.status,
    current_step: stepAfter(row, event.kind, event),
    version: event.version,
    ...(nodeId === undefined ? {} : { node_id: nodeId }),
    ...(hasEnded(event) ? { complete_time: event.at } : {}),
  };
}

/** After these no slot has the order, also while it is being rolled back. */
const LEAVES_NODE: ReadonlySet<EventKind> = new Set<EventKind>(['retry_scheduled', 'handed_back', 'handed_over', 'released']);

function isKnown(kind: string): kind is EventKind {
  return (EVENT_KINDS as readonly string[]).includes(kind);
}

function stepAfter({ workflow, current_step: before }: OrderRow, kind: EventKind, event: LiveEvent): string {
  const { step_name: name, direction, status } = event;
  if (isTerminal(kind)) return END_STEPS[status] ?? name;
  if (kind !== 'step_completed' && kind !== 'step_undone') return name;
  const steps = stepNamesOf({ workflow });
  const { step } = positionAfter(kind, { step: steps.indexOf(name) + 1, direction });
  return steps.includes(name) ? (steps[step - 1] ?? before) : before;
}

/** Rows with all events of theirs; the same array where none concerns them. */
export function applyEvents(rows: readonly OrderRow[], events: ReadonlyMap<string, readonly LiveEvent[]>): readonly OrderRow[] {
  let isChanged = false;
  const after = rows.map((row) => {
    const next = (events.get(row.order_id) ?? []).reduce(applyEvent, row);
    isChanged ||= next !== row;
    return next;
  });
  return isChanged ? after : rows;
}

/** Rows as they were just read again, each in its old place; the same array where nothing is new. */
export function refreshRows(rows: readonly OrderRow[], read: readonly OrderRow[]): readonly OrderRow[] {
  const fresh = new Map(read.map((row) => [row.order_id, row]));
  return rows.some(({ order_id: id }) => fresh.has(id)) ? rows.map((row) => fresh.get(row.order_id) ?? row) : rows;
}

/** How many orders of the newest page are not among the rows, though they belong between or above them. */
export function countNew(rows: readonly OrderRow[], newest: readonly OrderRow[], hasMore: boolean): number {
  const known = new Set(rows.map(({ order_id: id }) => id));
  const oldest = hasMore ? (rows.at(-1)?.order_id ?? '') : '';
  return newest.filter(({ order_id: id }) => !known.has(id) && id > oldest).length;
}

/** Whether the event's order may match the search: what the event does not tell may be anything. */
export function mayConcern(query: OrderQuery, event: LiveEvent): boolean {
  const { warehouse, region, symbol, customer_name: customer } = event;
  const given = { warehouse, region, symbol, customer };
  const names = Object.keys(given) as (keyof typeof given)[];
  if (names.some((name) => query[name] !== undefined && given[name] !== undefined && query[name] !== given[name])) return false;
  return event.order_id.replaceAll('-', '').startsWith(query.id?.replaceAll('-', '') ?? '');
}
