import { formatMillionths } from '#domain/money.ts';
import { isSuspect } from '#domain/order.ts';
import { positionOf } from '#engine/history.ts';
import { GATE_LEASES } from '#engine/peer-store.ts';
import type {
  EndedSession,
  EndReason,
  LeadershipBid,
  NodeDescription,
  NodeLoad,
  NodeWish,
  OrderTotals,
  TickReport,
  WarehouseLoad,
} from '#engine/store.ts';
import { dueOrders } from './claim.ts';
import { copyOf, type MemoryDatabase, type OrderRow, type SessionRow, workflowKey } from './database.ts';
import { gateHoldsUpTo } from './gate.ts';
import { notify } from './hints.ts';

export function openSession(db: MemoryDatabase, node: NodeDescription, ttlMs: number, asked?: NodeWish): number {
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
    hasLiveness: false,
    asked,
    counts: { fencedWrites: 0, takeovers: 0, handedOver: 0 },
    startedAt: db.clock.now(),
    lastBeatAt: db.clock.now(),
    endedAt: null,
    endedReason: null,
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
  row.lastBeatAt = now;
  row.busy = load.busy;
  row.state = load.draining ? 'draining' : 'live';
  row.hasLiveness = load.hasLiveness;
  row.counts = { ...load.counts };
  const alive = [...db.sessions.values()].filter(({ state }) => state !== 'dead');
  const leaderTerm = load.leading && lead(db, session, ttlMs, load.leading);
  return {
    databaseEpoch: db.epoch,
    databaseNow: now,
    leader: db.lease.until >= now ? db.lease.holder : undefined,
    sessions: alive.map((other) => ({ session: other.session, beat: other.beat, expired: other.leaseUntil < now })),
    ownedCount: ownedBy(db, session).length,
    cancelRequests: ownedBy(db, session).flatMap((order) => (order.requested ? [order.orderId] : [])),
    workDue: dueOrders(db, row).length > 0,
    asked: row.asked,
    leaderTerm,
    gateShut: gateHoldsUpTo(db) !== Number.NEGATIVE_INFINITY,
    gateNeedsTurn: leaderTerm !== undefined && gateHoldsUpTo(db) !== Number.NEGATIVE_INFINITY,
    lostSessions: load.lookForLost ? findLostSessions(db).filter((lost) => lost !== session) : undefined,
  };
}

/** Renews or takes the leader's lease: bound to holder and term, and to work. */
function lead(db: MemoryDatabase, session: number, ttlMs: number, { term, worked }: LeadershipBid): number | undefined {
  const { lease } = db;
  const now = db.clock.now();
  const isMine = lease.holder === session && lease.term === term;
  if (!isMine && lease.until >= now && lease.workedAt >= now - 4 * ttlMs) return undefined;
  if (!isMine) lease.term += 1;
  if (!isMine || worked) lease.workedAt = now;
  if (isMine && db.gate.epoch === db.epoch && db.gate.until > now) db.gate.until = now + GATE_LEASES * ttlMs;
  lease.holder = session;
  lease.until = now + ttlMs;
  return lease.term;
}

export function findLostSessions(db: MemoryDatabase): number[] {
  return [...db.sessions.values()]
    .filter(({ session, state, hasLiveness }) => state !== 'dead' && hasLiveness && !db.attendants.has(session))
    .map(({ session }) => session);
}

export function endSessions(db: MemoryDatabase, sessions: number[], reason: EndReason): EndedSession[] {
  const ended: EndedSession[] = [];
  for (const session of [...new Set(sessions)].sort((a, b) => a - b)) {
    const row = db.writingSession(session);
    if (!row || !mayEnd(db, row, reason)) continue;
    Object.assign(row, { state: 'dead', busy: 0, endedAt: db.clock.now(), endedReason: reason });
    if (db.lease.holder === session) db.lease.until = Number.NEGATIVE_INFINITY;
    const owned = ownedBy(db, session);
    for (const order of owned) release(db, order, session, reason);
    if (reason === 'transfer') notify(db, session, 'wish');
    ended.push({ session, handedOver: owned.length });
  }
  return ended;
}

function mayEnd(db: MemoryDatabase, row: SessionRow, reason: EndReason): boolean {
  if (reason === 'expired') return row.leaseUntil < db.clock.now();
  return reason !== 'connection_lost' || (row.hasLiveness && !db.attendants.has(row.session));
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
      // A suspect runs in a process of its own: the death of its node says nothing about it.
      crashCount: order.crashCount + (isCrash(reason) && !isSuspect(order) ? 1 : 0),
    },
  );
}

function isCrash(reason: EndReason): boolean {
  return reason === 'expired' || reason === 'connection_lost';
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

export function readTotals({ totals }: MemoryDatabase): OrderTotals {
  const { completed, priced, priceMillionths } = totals;
  return { completed, priced, priceSum: formatMillionths(priceMillionths) };
}

/** Sessions that may claim. */
export function liveSessions(db: MemoryDatabase): SessionRow[] {
  const now = db.clock.now();
  return [...db.sessions.values()].filter(({ state, leaseUntil }) => state === 'live' && leaseUntil > now);
}

function ownedBy(db: MemoryDatabase, session: number): OrderRow[] {
  return [...db.open].filter((order) => order.ownerSession === session);
}
