import { foldHistory } from '#engine/history.ts';
import type { ClaimedOrder } from '#engine/store.ts';
import { copyOf, type MemoryDatabase, type OrderRow, type SessionRow, workflowKey } from './database.ts';
import { gateHoldsUpTo } from './gate.ts';

export function claimOrders(db: MemoryDatabase, session: number, limit: number): ClaimedOrder[] {
  const row = db.sessions.get(session);
  if (row?.state !== 'live' || row.leaseUntil <= db.clock.now()) return [];
  const due = dueOrders(db, row).sort(byTurn).slice(0, Math.max(0, limit));
  for (const order of due) claim(db, order, session);
  return due.map((order) => claimedOf(db, order));
}

/** Orders that wait, may be claimed now, and that the session's node can work. */
export function dueOrders(db: MemoryDatabase, session: SessionRow): OrderRow[] {
  const now = db.clock.now();
  const heldUpTo = gateHoldsUpTo(db);
  return [...db.open].filter(
    (order) =>
      order.state === 'queued' &&
      order.nextRunAt <= now &&
      (!order.keyed || order.acceptedAt > heldUpTo) &&
      session.workflowKeys.has(workflowKey(order.workflow, order.workflowVersion)),
  );
}

export function readOwnedOrders(db: MemoryDatabase, session: number): ClaimedOrder[] {
  return [...db.open].filter((order) => order.ownerSession === session).map((order) => claimedOf(db, order));
}

function byTurn(a: OrderRow, b: OrderRow): number {
  return a.nextRunAt - b.nextRunAt || (a.orderId < b.orderId ? -1 : 1);
}

function claim(db: MemoryDatabase, order: OrderRow, session: number): void {
  const { step, direction } = order;
  const fence = order.fence + 1;
  const version = order.version + 1;
  const event = { version, kind: 'claimed', step, direction, sessionId: session, fence, data: null } as const;
  db.tell(order, event, { state: 'running', ownerSession: session, fence, version, nextRunAt: db.clock.now() });
}

function claimedOf(db: MemoryDatabase, order: OrderRow): ClaimedOrder {
  return copyOf(foldHistory(order, db.historyOf(order.orderId)));
}
