import type { OrderRecord } from '#domain/order.ts';
import { isEnded, type Position, publicStatus } from '#domain/order-state.ts';
import { standingOf } from '#engine/history.ts';
import type { OrderFilter } from '#engine/store.ts';
import { type MemoryDatabase, type OrderRow, workflowKey } from './database.ts';

export function listOrders(db: MemoryDatabase, filter: OrderFilter): OrderRecord[] {
  return findOrders(db, filter).map((row) => db.recordOf(row));
}

export function findOrders(db: MemoryDatabase, filter: OrderFilter): OrderRow[] {
  return [...db.orders.values()]
    .filter((row) => matches(db, row, filter))
    .sort((a, b) => (a.orderId < b.orderId ? 1 : -1))
    .slice(0, filter.limit);
}

function matches(db: MemoryDatabase, row: OrderRow, filter: OrderFilter): boolean {
  const at = standingOf(row, db.historyOf(row.orderId));
  return (
    is(filter.customerId, row.customerId) &&
    is(filter.region, row.content.region) &&
    is(filter.customerName, row.content.customer_name) &&
    is(filter.symbol, row.content.symbol) &&
    is(filter.trackingId, row.content.tracking_id) &&
    beginsWith(row.orderId, filter.idDigits) &&
    (filter.statuses === undefined || filter.statuses.includes(publicStatus(row.state, at.direction))) &&
    is(filter.step, presentStep(db, row, at)) &&
    is(filter.nodeId, ownerNode(db, row)) &&
    (filter.since === undefined || row.acceptedAt >= filter.since) &&
    (filter.until === undefined || row.acceptedAt < filter.until) &&
    (filter.beforeId === undefined || row.orderId < filter.beforeId.toLowerCase())
  );
}

function is<Value>(wanted: Value | undefined, found: Value | undefined): boolean {
  return wanted === undefined || wanted === found;
}

function beginsWith(orderId: string, digits = ''): boolean {
  return orderId.replaceAll('-', '').startsWith(digits.toLowerCase());
}

function presentStep(db: MemoryDatabase, row: OrderRow, at: Position): string | undefined {
  if (isEnded(row.state)) return undefined;
  return db.workflows.get(workflowKey(row.workflow, row.workflowVersion))?.stepNames[at.step - 1];
}

function ownerNode(db: MemoryDatabase, row: OrderRow): string | undefined {
  return row.ownerSession === null ? undefined : db.writingSession(row.ownerSession)?.node.nodeId;
}
