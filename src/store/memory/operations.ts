import { publicStatus } from '#domain/order-state.ts';
import type { OperationStore, ReleaseVerdict, RetryRequest, RetryVerdict, TransferVerdict } from '#engine/operation-store.ts';
import type { Author, ClusterReport, NodeWish, SessionReport } from '#engine/store.ts';
import { copyOf, type MemoryDatabase, type SessionRow, workflowKey } from './database.ts';
import { notify } from './hints.ts';
import { endSessions } from './sessions.ts';

const SHOWN_AFTER_DEATH_MS = 3_600_000;

export function operationStore(db: MemoryDatabase): OperationStore {
  return {
    readCluster: async () => readCluster(db),
    steerNode: async (nodeId, wish, author) => steerNode(db, nodeId, wish, author),
    transferNode: async (nodeId, author) => transferNode(db, nodeId, author),
    retryOrder: async (request) => retryOrder(db, request),
    releaseOrder: async (orderId, author) => releaseOrder(db, orderId, author),
    recordIntervention: async (action, target, author, id) => {
      if (!db.audit.some((entry) => entry.id === id)) db.record(action, target, author, null, id);
    },
    async listInterventions({ limit, beforeId }) {
      const from =
        beforeId === undefined
          ? db.audit.length
          : Math.max(
              0,
              db.audit.findIndex(({ id }) => id === beforeId),
            );
      return copyOf(db.audit.slice(0, from).reverse().slice(0, limit));
    },
  };
}

function readCluster(db: MemoryDatabase): ClusterReport {
  const now = db.clock.now();
  const rows = [...db.sessions.values()];
  const alive = rows.filter(({ state }) => state !== 'dead');
  const latest = new Map<string, SessionRow>();
  for (const row of rows) {
    if (alive.some((other) => other.node.nodeId === row.node.nodeId) || (row.endedAt ?? 0) < now - SHOWN_AFTER_DEATH_MS) continue;
    latest.set(row.node.nodeId, row);
  }
  const { lease } = db;
  const leader = alive.find((row) => row.session === lease.holder && lease.until >= now);
  return {
    leader: leader && { session: leader.session, term: lease.term, nodeId: leader.node.nodeId, nodeName: leader.node.nodeName },
    sessions: [...alive, ...latest.values()]
      .sort((a, b) => (a.node.nodeName === b.node.nodeName ? a.session - b.session : a.node.nodeName < b.node.nodeName ? -1 : 1))
      .map((row) => reportOf(row, now)),
  };
}

function reportOf(row: SessionRow, now: number): SessionReport {
  return {
    ...copyOf(row.node),
    session: row.session,
    state: row.state,
    busy: row.busy,
    hasLiveness: row.hasLiveness,
    asked: row.asked,
    startedAt: row.startedAt,
    lastBeatAt: row.lastBeatAt,
    leaseMs: row.leaseUntil - now,
    endedAt: row.endedAt,
    endedReason: row.endedReason,
    counts: { ...row.counts },
  };
}

function steerNode(db: MemoryDatabase, nodeId: string, wish: NodeWish | undefined, author: Author): number[] {
  const rows = [...db.sessions.values()].filter(({ node, state }) => node.nodeId === nodeId && state !== 'dead');
  for (const row of rows) {
    row.asked = wish;
    notify(db, row.session, 'wish');
  }
  if (rows.length > 0) db.record(`node.${wish ?? 'resume'}`, nodeId, author);
  return rows.map(({ session }) => session);
}

function transferNode(db: MemoryDatabase, nodeId: string, author: Author): TransferVerdict {
  const rows = [...db.sessions.values()].filter(({ node }) => node.nodeId === nodeId);
  if (rows.length === 0) return { outcome: 'unknown' };
  const alive = rows.filter(({ state }) => state !== 'dead').map(({ session }) => session);
  const sessions = endSessions(db, alive, 'transfer');
  db.record('node.transfer', nodeId, author);
  return { outcome: 'transferred', sessions };
}

function retryOrder(db: MemoryDatabase, request: RetryRequest): RetryVerdict {
  const { actor, reason, customerId, workflow, workflowVersion, newOrderId } = request;
  if (!db.workflows.has(workflowKey(workflow, workflowVersion)))
    throw new Error(`workflow ${workflow} version ${workflowVersion} was not registered with this database`);
  const row = db.orders.get(request.orderId.toLowerCase());
  if (!row || (customerId !== undefined && row.customerId !== customerId)) return { outcome: 'unknown' };
  if (row.state !== 'failed' && row.state !== 'cancelled') return { outcome: 'refused', status: publicStatus(row.state, row.direction) };
  const known = db.retries.get(row.orderId);
  if (known !== undefined) return { outcome: 'existing', orderId: known };
  db.retries.set(row.orderId, newOrderId);
  const now = db.clock.now();
  const author = { actor, ...(reason === undefined ? {} : { reason }) };
  db.addOrder(
    {
      ...row,
      content: copyOf(row.content),
      orderId: newOrderId,
      workflow,
      workflowVersion,
      state: 'queued',
      direction: 'forward',
      step: 1,
      ownerSession: null,
      fence: 0,
      version: 1,
      nextRunAt: now,
      retries: 0,
      acceptedAt: now,
      endedAt: null,
      requested: null,
      crashCount: 0,
      retryOf: row.orderId,
      routedBecause: null,
      keyed: false,
    },
    { ...author, retry_of: row.orderId },
  );
  db.record('order.retry', row.orderId, { actor, reason }, { order_id: newOrderId });
  return { outcome: 'created', orderId: newOrderId };
}

function releaseOrder(db: MemoryDatabase, orderId: string, { actor, reason }: Author): ReleaseVerdict {
  const row = db.orders.get(orderId.toLowerCase());
  if (!row) return { outcome: 'unknown' };
  if (row.state !== 'needs_attention' && row.state !== 'held')
    return { outcome: 'refused', status: publicStatus(row.state, row.direction) };
  const version = row.version + 1;
  const { step, direction, fence } = row;
  const data = { actor, ...(reason === undefined ? {} : { reason }) };
  db.tell(
    row,
    { version, kind: 'released', step, direction, sessionId: null, fence, data },
    { state: 'queued', version, retries: 0, nextRunAt: db.clock.now() },
  );
  db.record('order.release', row.orderId, { actor, reason });
  return { outcome: 'released' };
}
