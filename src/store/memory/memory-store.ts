import type { Clock } from '#engine/clock.ts';
import type { Store, WarehouseIdentity } from '#engine/store.ts';
import { countCreated } from '#engine/verdicts.ts';
import { acceptOrders } from './accept.ts';
import { advanceOrders } from './advance.ts';
import { bulkStore } from './bulk.ts';
import { cancelOrder } from './cancel.ts';
import { claimOrders, readOwnedOrders } from './claim.ts';
import { copyOf, MemoryDatabase } from './database.ts';
import { attendSession, wakeNodes } from './hints.ts';
import { findOrders, listOrders } from './list.ts';
import { operationStore } from './operations.ts';
import { outboxStore } from './outbox.ts';
import { peerStore } from './peers.ts';
import { retentionStore } from './retention.ts';
import { endSessions, findLostSessions, openSession, readLoad, readTotals, tick } from './sessions.ts';
import { statisticsStore } from './statistics.ts';
import { tokenStore } from './tokens.ts';
import { webhookStore } from './webhooks.ts';
import { registerWorkflows } from './workflows.ts';

export interface MemoryStoreOptions {
  warehouse: WarehouseIdentity;
  /** The database's clock: it decides leases and stamps events. */
  clock: Clock;
  /** Tables to share with other stores, each as if on a machine of its own; tables of its own if absent. */
  database?: MemoryDatabase;
}

/**
 * The store port in memory, for tests and simulations: the same answers as PostgreSQL's, and every write is held against
 * the state machine. Nothing survives the process.
 */
export function createMemoryStore({ warehouse, clock, database: db = new MemoryDatabase(clock) }: MemoryStoreOptions): Store {
  return {
    warehouse,
    registerWorkflows: async (workflows) => registerWorkflows(db, workflows),
    acceptOrders: async (orders, { hint = false } = {}) => {
      const verdicts = acceptOrders(db, orders);
      if (hint) wakeNodes(db, countCreated(verdicts));
      return verdicts;
    },
    readOrders: async (orderIds) =>
      orderIds.map((orderId) => {
        const row = db.orders.get(orderId.toLowerCase());
        return row && db.recordOf(row);
      }),
    listOrders: async (filter) => listOrders(db, filter),
    listOrderIds: async (filter) => findOrders(db, filter).map(({ orderId }) => orderId),
    countOrders: async (filter) => findOrders(db, filter).length,
    readEventsAfter: async (cursors) =>
      cursors.map(({ orderId, afterVersion }) =>
        copyOf(db.historyOf(orderId.toLowerCase()).filter(({ version }) => version > afterVersion)),
      ),
    cancelOrder: async (request) => {
      const verdict = cancelOrder(db, request);
      if (verdict.outcome === 'requested') wakeNodes(db, 1);
      return verdict;
    },
    openSession: async (node, ttlMs, asked) => openSession(db, node, ttlMs, asked),
    tick: async (session, ttlMs, load) => tick(db, session, ttlMs, load),
    claimOrders: async (session, limit) => claimOrders(db, session, limit),
    advanceOrders: async (session, moves) => advanceOrders(db, session, moves),
    readOwnedOrders: async (session) => readOwnedOrders(db, session),
    findLostSessions: async () => findLostSessions(db),
    endSessions: async (sessions, reason) => endSessions(db, sessions, reason),
    wakeNodes: async (orderCount) => wakeNodes(db, orderCount),
    attendSession: async (session, attendant) => attendSession(db, session, attendant),
    readLoad: async () => readLoad(db),
    readTotals: async () => readTotals(db),
    tokens: tokenStore(db),
    operations: operationStore(db),
    peers: peerStore(db),
    outbox: outboxStore(db),
    bulk: bulkStore(db),
    webhooks: webhookStore(db),
    retention: retentionStore(db),
    statistics: statisticsStore(db),
    close: async () => undefined,
  };
}
