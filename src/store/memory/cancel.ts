import type { Json } from '#domain/json.ts';
import { publicStatus } from '#domain/order-state.ts';
import { standingOf } from '#engine/history.ts';
import type { Author, CancelRequest, CancelVerdict } from '#engine/store.ts';
import type { MemoryDatabase, OrderRow } from './database.ts';
import { notify } from './hints.ts';

/** An order that never began ends here; one that began is undone, by its owner or by the node that claims it next. */
export function cancelOrder(db: MemoryDatabase, request: CancelRequest): CancelVerdict {
  const row = db.orders.get(request.orderId.toLowerCase());
  if (!row || (request.customerId !== undefined && row.customerId !== request.customerId)) return { outcome: 'unknown' };
  const { direction } = standingOf(row, db.historyOf(row.orderId));
  const open = row.state === 'queued' || row.state === 'running';
  if (open && row.requested) return { outcome: 'requested' };
  const isStopped = row.state === 'needs_attention';
  if ((!open && !isStopped) || direction === 'rollback') return { outcome: 'refused', status: publicStatus(row.state, direction) };
  db.record('order.cancel', row.orderId, request);
  if (isStopped) release(db, row, request);
  if (row.state === 'queued') return cancelQueued(db, row, request);
  row.requested = 'cancel';
  db.requestedBy.set(row.orderId, authorData(request));
  if (row.ownerSession !== null) notify(db, row.ownerSession, 'wish');
  return { outcome: 'requested' };
}

/** A quarantined order goes back to the queue before it is undone. */
function release(db: MemoryDatabase, row: OrderRow, author: Author): void {
  const version = row.version + 1;
  const { step, direction, fence } = row;
  db.tell(
    row,
    { version, kind: 'released', step, direction, sessionId: null, fence, data: authorData(author) },
    { state: 'queued', version },
  );
}

function cancelQueued(db: MemoryDatabase, row: OrderRow, author: Author): CancelVerdict {
  const version = row.version + 1;
  const event = { version, step: row.step, direction: 'forward', sessionId: null, data: authorData(author) } as const;
  const now = db.clock.now();
  if (row.version === 1) {
    const fence = row.fence + 1;
    db.tell(row, { ...event, kind: 'cancelled', fence }, { state: 'cancelled', version, fence, endedAt: now });
    return { outcome: 'cancelled' };
  }
  const changes = { requested: 'cancel', direction: 'rollback', version, retries: 0, nextRunAt: now } as const;
  db.tell(row, { ...event, kind: 'cancel_started', fence: row.fence }, changes);
  return { outcome: 'requested' };
}

/** What an event tells of who did it. */
function authorData({ actor, reason }: Author): Json {
  return { actor, ...(reason === undefined ? {} : { reason }) };
}
