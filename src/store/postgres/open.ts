import pg from 'pg';
import { warehouseNumber } from '#domain/ids.ts';
import type { OrderEvent, OrderRecord } from '#domain/order.ts';
import type { BulkStore } from '#engine/bulk-store.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { OperationStore } from '#engine/operation-store.ts';
import type { OutboxStore } from '#engine/outbox.ts';
import type { PeerStore } from '#engine/peer-store.ts';
import type { RetentionStore } from '#engine/retention-store.ts';
import type { StatisticsStore } from '#engine/statistics-store.ts';
import type * as port from '#engine/store.ts';
import { countCreated } from '#engine/verdicts.ts';
import type { WebhookStore } from '#engine/webhook-store.ts';
import { OrderIntake } from './accept.ts';
import { advanceOrders } from './advance.ts';
import { HintSender, SessionConnection } from './attend.ts';
import { bulkStore } from './bulk.ts';
import { cancelOrder } from './cancel.ts';
import { OrderClaims } from './claim.ts';
import { Connection, type ConnectionOptions, clientConfig } from './connect.ts';
import { toStoreFault } from './faults.ts';
import { OrderJournal } from './journal.ts';
import { OrderList } from './list.ts';
import { operationStore } from './operations.ts';
import { outboxStore } from './outbox.ts';
import { peerStore } from './peers.ts';
import { OrderReader } from './read.ts';
import { retentionStore } from './retention.ts';
import { SessionNames } from './session-names.ts';
import { endSessions, findLostSessions, lookAtAll, openSession, readLoad, readTotals, tick } from './sessions.ts';
import { statisticsStore } from './statistics.ts';
import { TickScopes } from './tick-scope.ts';
import { tokenStore } from './tokens.ts';
import { webhookStore } from './webhooks.ts';
import { WorkflowIds } from './workflow-ids.ts';

export interface PostgresStoreOptions {
  /** `postgres://…` of a migrated database. */
  url: string;
  log: Log;
  clock: Clock;
  /** Whether sessions hold a liveness lock, so that their end is noticed at once; default true. */
  liveness?: boolean;
}

/** A statement that takes longer has an open outcome; its connection is given up. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** A heartbeat that takes longer than this would come too late for its lease anyway. */
const TICK_TIMEOUT_MS = 2_000;
const LIST_POOL_SIZE = 4;
/** A database that does not answer such a small question for so long is away. */
const PULSE_TIMEOUT_MS = 2_000;
/** Counting a million waiting orders takes a while. */
const COUNT_TIMEOUT_MS = 15_000;

/** The store of one warehouse on PostgreSQL. Rejects when the database does not answer or has no schema yet. */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<port.Store> {
  return new PostgresStore(options, await readWarehouse(options));
}

/** The same for a database that need not answer yet: it is asked when the store is used, and has to be migrated by then. */
export function connectPostgresStore(options: PostgresStoreOptions, warehouse: string): port.Store {
  return new PostgresStore(options, { name: warehouse, number: warehouseNumber(warehouse) });
}

async function readWarehouse({ url, log, clock }: PostgresStoreOptions): Promise<port.WarehouseIdentity> {
  const client = new pg.Client(clientConfig({ url, warehouse: '?', purpose: 'open', log, clock, timeoutMs: STATEMENT_TIMEOUT_MS }));
  // A connection that breaks while idle says so here; the statement that follows says it to the caller.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<port.WarehouseIdentity>('select name, number from warehouse');
    if (!rows[0]) throw new Error('the database belongs to no warehouse yet: run `conveyor migrate`');
    return rows[0];
  } catch (error) {
    if ((error as { code?: string }).code === '42P01') throw new Error('the database has no Conveyor schema yet: run `conveyor migrate`');
    throw toStoreFault(error, new URL(url).host);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * Each kind of work has a connection of its own, so that none waits behind another: claims, moves of orders, the tick (which keeps
 * the lease), reads, and everything rare. They open when first used: a node never opens the gateway's.
 */
class PostgresStore implements port.Store {
  readonly warehouse: port.WarehouseIdentity;
  readonly tokens: port.TokenStore;
  readonly operations: OperationStore;
  readonly peers: PeerStore;
  readonly outbox: OutboxStore;
  readonly bulk: BulkStore;
  readonly webhooks: WebhookStore;
  readonly retention: RetentionStore;
  readonly statistics: StatisticsStore;
  private readonly options: PostgresStoreOptions;
  private readonly connections: Record<
    'accept' | 'claims' | 'moves' | 'closings' | 'tick' | 'read' | 'hints' | 'rare' | 'pulse' | 'count' | 'outbox' | 'statistics',
    Connection
  >;
  private readonly pool: pg.Pool;
  private readonly workflowIds: WorkflowIds;
  private readonly intake: OrderIntake;
  private readonly claims: OrderClaims;
  private readonly journal: OrderJournal;
  private readonly tickScopes: TickScopes;
  private readonly reader: OrderReader;
  private readonly list: OrderList;
  private readonly hints: HintSender;
  /** Which workflow versions a session's node knows: what it may claim. */
  private readonly knownWorkflows = new Map<number, number[]>();

  constructor(options: PostgresStoreOptions, warehouse: port.WarehouseIdentity) {
    this.options = options;
    this.warehouse = warehouse;
    const open = (purpose: string, timeoutMs?: number, mayBeLost = false): Connection =>
      new Connection({ ...this.connectionOptions(purpose, timeoutMs), mayBeLost });
    this.connections = {
      accept: open('accept'),
      claims: open('claims'),
      moves: open('moves'),
      closings: open('closings'),
      tick: open('tick', TICK_TIMEOUT_MS),
      read: open('read'),
      // A NOTIFY is a commit like any other: waiting for the disk would keep every order waiting.
      hints: open('hints', TICK_TIMEOUT_MS, true),
      rare: open('rare'),
      pulse: open('pulse', PULSE_TIMEOUT_MS),
      count: open('count', COUNT_TIMEOUT_MS),
      outbox: open('outbox'),
      statistics: open('statistics', COUNT_TIMEOUT_MS),
    };
    this.pool = new pg.Pool({ ...clientConfig(this.connectionOptions('lists')), max: LIST_POOL_SIZE, idleTimeoutMillis: 10_000 });
    this.pool.on('error', (error) => options.log.warn({ warehouse: warehouse.name, error: error.message }, 'database connection lost'));
    this.workflowIds = new WorkflowIds(this.connections.rare);
    this.intake = new OrderIntake(this.connections.accept, this.workflowIds);
    this.journal = new OrderJournal(this.connections);
    this.tickScopes = new TickScopes(options.clock);
    this.claims = new OrderClaims(this.connections, this.journal, this.workflowIds, options.clock);
    const sessionNames = new SessionNames(this.connections.read);
    this.reader = new OrderReader(this.connections.read, this.workflowIds, sessionNames);
    this.list = new OrderList(this.pool, warehouse.name);
    this.hints = new HintSender(this.connections.hints, options.clock);
    this.tokens = tokenStore(this.connections.rare);
    this.operations = operationStore(this.connections.rare, this.workflowIds, options.clock);
    this.peers = peerStore(this.connections, this.intake);
    this.outbox = outboxStore(this.connections.outbox, this.workflowIds, sessionNames);
    this.bulk = bulkStore(this.connections.rare);
    this.webhooks = webhookStore(this.connections.outbox);
    this.retention = retentionStore(this.connections.count);
    this.statistics = statisticsStore(this.connections);
  }

  registerWorkflows(workflows: readonly port.WorkflowIdentity[]): Promise<void> {
    return this.workflowIds.register(workflows);
  }

  async acceptOrders(orders: port.NewOrder[], { hint = false } = {}): Promise<port.AcceptVerdict[]> {
    const ride = hint ? this.hints.takeRide(orders.length) : undefined;
    try {
      const verdicts = await this.intake.accept(orders, ride !== undefined);
      const created = countCreated(verdicts);
      // Losing it costs one tick.
      if (hint && !ride && created > 0) this.hints.send(created).catch(() => undefined);
      return verdicts;
    } finally {
      ride?.end();
    }
  }

  readOrders(orderIds: string[]): Promise<(OrderRecord | undefined)[]> {
    return this.reader.readOrders(orderIds);
  }

  async listOrders(filter: port.OrderFilter): Promise<OrderRecord[]> {
    const records = await this.reader.readOrders(await this.list.findIds(filter));
    return records.filter((record) => record !== undefined);
  }

  listOrderIds(filter: port.OrderFilter): Promise<string[]> {
    return this.list.findIds(filter);
  }

  countOrders(filter: port.OrderFilter): Promise<number> {
    return this.list.count(filter);
  }

  readEventsAfter(cursors: port.EventCursor[]): Promise<OrderEvent[][]> {
    return this.reader.readEventsAfter(cursors);
  }

  async cancelOrder(request: port.CancelRequest): Promise<port.CancelVerdict> {
    const verdict = await cancelOrder(this.connections.rare, request);
    // An order that waits for its undoing is work like any other; losing the hint costs one tick.
    if (verdict.outcome === 'requested') this.hints.send(1).catch(() => undefined);
    return verdict;
  }

  async openSession(node: port.NodeDescription, ttlMs: number, asked?: port.NodeWish): Promise<number> {
    const workflows = await this.workflowIds.numbersOf(node.workflows);
    const session = await openSession(this.connections.tick, node, workflows, ttlMs, asked);
    this.knownWorkflows.set(session, workflows);
    return session;
  }

  async tick(session: number, ttlMs: number, load: port.NodeLoad): Promise<port.TickReport | undefined> {
    const { tickScopes, claims, connections } = this;
    const reach = { ownedFrom: tickScopes.begin(session), queuedFrom: claims.queuedFrom };
    const answer = await tick(connections.tick, session, ttlMs, load, reach);
    if (!answer) {
      this.forgetSession(session);
      return undefined;
    }
    tickScopes.end(session, answer.oldest);
    // Beside the ticks: what it finds is in the next one. Where it fails, the next look finds it.
    tickScopes.lookWhenDue(() => this.lookAtAll(session)).catch(() => undefined);
    return answer.report;
  }

  private async lookAtAll(session: number): Promise<void> {
    const { owned, dueAt } = await lookAtAll(this.connections.count, session);
    if (owned !== null) this.tickScopes.noteOwned(session, [{ orderId: owned }]);
    if (dueAt !== null) this.claims.noteDue(dueAt);
  }

  async claimOrders(session: number, limit: number): Promise<port.ClaimedOrder[]> {
    const claimed = await this.claims.claim(session, this.knownWorkflows.get(session) ?? [], limit);
    this.tickScopes.noteOwned(session, claimed);
    return claimed;
  }

  advanceOrders(session: number, moves: port.OrderMove[]): Promise<port.MoveVerdict[]> {
    return advanceOrders(this.connections, this.journal, session, moves);
  }

  async readOwnedOrders(session: number): Promise<port.ClaimedOrder[]> {
    const owned = await this.claims.readOwned(session);
    this.tickScopes.noteOwned(session, owned);
    return owned;
  }

  findLostSessions(graceMs: number): Promise<number[]> {
    return findLostSessions(this.connections.tick, graceMs);
  }

  async endSessions(sessions: number[], reason: port.EndReason): Promise<port.EndedSession[]> {
    const ended = await endSessions(this.connections.rare, sessions, reason);
    for (const { session } of ended) this.forgetSession(session);
    return ended;
  }

  wakeNodes(orderCount: number): Promise<void> {
    return this.hints.send(orderCount);
  }

  async attendSession(session: number, attendant: port.SessionAttendant): Promise<port.Subscription> {
    const { liveness = true } = this.options;
    return new SessionConnection({ ...this.connectionOptions('session'), session, liveness }, attendant);
  }

  readLoad(): Promise<port.WarehouseLoad> {
    return readLoad(this.connections.count);
  }

  readTotals(): Promise<port.OrderTotals> {
    return readTotals(this.connections.rare);
  }

  async close(): Promise<void> {
    await Promise.all([...Object.values(this.connections).map((connection) => connection.close()), this.pool.end()]);
  }

  /** It is dead: nothing is written in its name any more. */
  private forgetSession(session: number): void {
    this.knownWorkflows.delete(session);
    this.journal.forgetSession(session);
    this.tickScopes.forget(session);
  }

  private connectionOptions(purpose: string, timeoutMs = STATEMENT_TIMEOUT_MS): ConnectionOptions {
    const { url, log, clock } = this.options;
    return { url, warehouse: this.warehouse.name, purpose, log, clock, timeoutMs };
  }
}
