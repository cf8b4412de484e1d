import pg from 'pg';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { NodeDescription, Store, WarehouseIdentity } from '#engine/store.ts';
import { OrderIntake } from './accept.ts';
import { advanceOrders } from './advance.ts';
import { cancelOrder } from './cancel.ts';
import { OrderClaims } from './claim.ts';
import { Connection, type ConnectionOptions, clientConfig } from './connect.ts';
import { toStoreFault } from './faults.ts';
import { OrderList } from './list.ts';
import { OrderReader } from './read.ts';
import { endSessions, openSession, readLoad, tick } from './sessions.ts';
import { tokenStore } from './tokens.ts';
import { HintSender, listenForHints } from './work-hints.ts';
import { WorkflowIds } from './workflow-ids.ts';

export interface PostgresStoreOptions {
  /** `postgres://…` of a migrated database. */
  url: string;
  log: Log;
  clock: Clock;
}

/** A statement that takes longer has an open outcome; its connection is given up. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** A heartbeat that takes longer than this would come too late for its lease anyway. */
const TICK_TIMEOUT_MS = 2_000;
const LIST_POOL_SIZE = 4;

/**
 * The store of one warehouse on PostgreSQL. Each kind of work has a connection of its own, so that none waits behind
 * another: orders' writes, the tick (which keeps the lease), reads, and everything rare. They open when first used: a node
 * never opens the gateway's.
 */
export async function openPostgresStore({ url, log, clock }: PostgresStoreOptions): Promise<Store> {
  const warehouse = await readWarehouse(url);
  const optionsFor = (purpose: string, timeoutMs = STATEMENT_TIMEOUT_MS): ConnectionOptions => ({
    url,
    warehouse: warehouse.name,
    purpose,
    log,
    clock,
    timeoutMs,
  });
  const connections = {
    intake: new Connection(optionsFor('accept')),
    orders: new Connection(optionsFor('orders')),
    tick: new Connection(optionsFor('tick', TICK_TIMEOUT_MS)),
    read: new Connection(optionsFor('read')),
    hints: new Connection(optionsFor('hints', TICK_TIMEOUT_MS)),
    rare: new Connection(optionsFor('other')),
  };
  const pool = new pg.Pool({ ...clientConfig(optionsFor('lists')), max: LIST_POOL_SIZE, idleTimeoutMillis: 10_000 });
  pool.on('error', (error) => log.warn({ warehouse: warehouse.name, error: error.message }, 'database connection lost'));

  const workflowIds = new WorkflowIds(connections.rare);
  const intake = new OrderIntake(connections.intake, workflowIds);
  const claims = new OrderClaims(connections.orders, workflowIds, clock);
  const reader = new OrderReader(connections.read, workflowIds);
  const list = new OrderList(pool, warehouse.name);
  const hints = new HintSender(connections.hints, clock);
  const knownWorkflows = new Map<number, number[]>();

  return {
    warehouse,
    registerWorkflows: (workflows) => workflowIds.register(workflows),
    acceptOrders: (orders) => intake.accept(orders),
    readOrders: (orderIds) => reader.readOrders(orderIds),
    async listOrders(filter) {
      const records = await reader.readOrders(await list.findIds(filter));
      return records.filter((record) => record !== undefined);
    },
    readEventsAfter: (cursors) => reader.readEventsAfter(cursors),
    async cancelOrder(request) {
      const verdict = await cancelOrder(connections.rare, request);
      // An order that waits for its undoing is work like any other; losing the hint costs one tick.
      if (verdict.outcome === 'requested') hints.send(1).catch(() => undefined);
      return verdict;
    },
    async openSession(node: NodeDescription, ttlMs) {
      const workflows = await workflowIds.numbersOf(node.workflows);
      const session = await openSession(connections.tick, node, workflows, ttlMs);
      knownWorkflows.set(session, workflows);
      return session;
    },
    tick: (session, ttlMs, load) => tick(connections.tick, session, ttlMs, load),
    claimOrders: (session, limit) => claims.claim(session, knownWorkflows.get(session) ?? [], limit),
    advanceOrders: (session, moves) => advanceOrders(connections.orders, session, moves),
    readOwnedOrders: (session) => claims.readOwned(session),
    async endSessions(sessions, reason) {
      for (const session of sessions) knownWorkflows.delete(session);
      return await endSessions(connections.rare, sessions, reason);
    },
    wakeNodes: (orderCount) => hints.send(orderCount),
    async listenForWork(session, onHint) {
      return listenForHints(optionsFor('listen'), session, onHint, log);
    },
    readLoad: () => readLoad(connections.rare),
    tokens: tokenStore(connections.rare),
    async close() {
      await Promise.all([...Object.values(connections).map((connection) => connection.close()), pool.end()]);
    },
  };

  async function readWarehouse(databaseUrl: string): Promise<WarehouseIdentity> {
    const client = new pg.Client(
      clientConfig({ url: databaseUrl, warehouse: '?', purpose: 'open', log, clock, timeoutMs: STATEMENT_TIMEOUT_MS }),
    );
    try {
      await client.connect();
      const { rows } = await client.query<WarehouseIdentity>('select name, number from warehouse');
      if (!rows[0]) throw new Error('the database belongs to no warehouse yet: run `conveyor migrate`');
      return rows[0];
    } catch (error) {
      if ((error as { code?: string }).code === '42P01') throw new Error('the database has no Conveyor schema yet: run `conveyor migrate`');
      throw toStoreFault(error, new URL(databaseUrl).host);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
