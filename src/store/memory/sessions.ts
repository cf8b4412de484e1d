import { positionOf } from '#engine/history.ts';
import type { EndedSession, EndReason, NodeDescription, NodeLoad, TickReport, WarehouseLoad } from '#engine/store.ts';
import { dueOrders } from './claim.ts';
import { copyOf, type MemoryDatabase, type OrderRow, type SessionRow, workflowKey } from './database.ts';

export function openSession(db: MemoryDatabase, node: NodeDescription, ttlMs: number): number {
  const session = db.sessions.size + 1;
  const keys = node.workflows.map(({ name, version }) => workflowKey(name, version));
  db.sessions.set(session, {
    session,
    state: 'live',
    node: copyOf(node),
    workflowKeys: new Set(keys.filter((key) => db.workflows.has(key))),
    beat: 0,
    leaseUntil: db.clock.now() + ttlMs,
    busy: 0,
  });
  return session;
}

/** Renews an expired lease too, as long as nobody declared the session dead. */
export function tick(db: MemoryDatabase, session: number, ttlMs: number, load: NodeLoad): TickReport | undefined {
  const row = db.writingSession(session);
  if (!row) return undefined;
  const now = db.clock.now();
  row.beat += 1;
  row.leaseUntil = now + ttlMs;
  row.busy = load.busy;
  if (load.draining) row.state = 'draining';
  const alive = [...db.sessions.values()].filter(({ state }) => state !== 'dead');
  return {
    databaseEpoch: db.epoch,
    sessions: alive.map((other) => ({ session: other.session, beat: other.beat, expired: other.leaseUntil < now })),
    cancelRequests: ownedBy(db, session).flatMap((order) => (order.requested ? [order.orderId] : [])),
    workDue: dueOrders(db, row).length > 0,
  };
}

export function endSessions(db: MemoryDatabase, sessions: number[], reason: EndReason): EndedSession[] {
  const ended: EndedSession[] = [];
  for (const session of [...new Set(sessions)].sort((a, b) => a - b)) {
    const row = db.writingSession(session);
    if (!row || (reason === 'expired' && row.leaseUntil >= db.clock.now())) continue;
    row.state = 'dead';
    row.busy = 0;
    const owned = ownedBy(db, session);
    for (const order of owned) release(db, order, session, reason);
    ended.push({ session, handedOver: owned.length });
  }
  return ended;
}

/** Gives an order back to the queue where its last event left it. */
function release(db: MemoryDatabase, order: OrderRow, session: number, reason: EndReason): void {
  const events = db.historyOf(order.orderId);
  const { step, direction } = positionOf(order, events);
  const lastVersion = events.at(-1)?.version ?? order.version;
  const version = lastVersion + 1;
  const fence = order.fence + 1;
  const kind = reason === 'left' ? 'handed_back' : 'handed_over';
  db.tell(
    order,
    { version, kind, step, direction, sessionId: session, fence, data: null },
    {
      state: 'queued',
      ownerSession: null,
      fence,
      version,
      step,
      direction,
      retries: lastVersion === order.version ? order.retries : 0,
      nextRunAt: db.clock.now(),
      crashCount: order.crashCount + (reason === 'expired' ? 1 : 0),
    },
  );
}

export function readLoad(db: MemoryDatabase): WarehouseLoad {
  const live = liveSessions(db);
  const sum = (pick: (row: SessionRow) => number): number => live.reduce((total, row) => total + pick(row), 0);
  const count = (state: OrderRow['state']): number => [...db.open].filter((order) => order.state === state).length;
  return {
    queued: count('queued'),
    running: count('running'),
    liveNodes: live.length,
    slots: sum((row) => row.node.slots),
    busy: sum((row) => row.busy),
  };
}

/** Sessions that may claim. */
export function liveSessions(db: MemoryDatabase): SessionRow[] {
  const now = db.clock.now();
  return [...db.sessions.values()].filter(({ state, leaseUntil }) => state === 'live' && leaseUntil > now);
}

function ownedBy(db: MemoryDatabase, session: number): OrderRow[] {
  return [...db.open].filter((order) => order.ownerSession === session);
}
