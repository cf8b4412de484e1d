import { assert } from '#domain/assert.ts';
import type { Json } from '#domain/json.ts';
import type { Order, OrderEvent, OrderRecord } from '#domain/order.ts';
import { isAllowed, isEnded, TRANSITIONS } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import type { BulkPart } from '#engine/bulk-store.ts';
import type { Clock } from '#engine/clock.ts';
import { positionOf } from '#engine/history.ts';
import type { Intervention } from '#engine/operation-store.ts';
import type { OutboxPlace } from '#engine/outbox.ts';
import type { ClusterSetting, CustomerKey, KeyConflict, WarehouseFlag } from '#engine/peer-store.ts';
import type { Author, NodeDescription, NodeWish, SessionAttendant, SessionCounts, StoredToken, WorkflowIdentity } from '#engine/store.ts';
import type { Delivery, Webhook } from '#engine/webhook-store.ts';

export type OrderRow = Order;

export interface SessionRow {
  session: number;
  state: 'live' | 'draining' | 'dead';
  node: NodeDescription;
  /** `name@version` of what its node can work and the database knew when it opened. */
  workflowKeys: ReadonlySet<string>;
  beat: number;
  leaseUntil: EpochMs;
  busy: number;
  hasLiveness: boolean;
  asked: NodeWish | undefined;
  counts: SessionCounts;
  startedAt: EpochMs;
  lastBeatAt: EpochMs;
  endedAt: EpochMs | null;
  endedReason: string | null;
}

/** The one leader: see the table leader_lease. */
export interface LeaderLease {
  holder: number | undefined;
  term: number;
  until: EpochMs;
  workedAt: EpochMs;
}

export interface KeyRow extends CustomerKey {
  /** Of this warehouse or of another. */
  orderId: string;
  bodyHash: Buffer | null;
  /** The warehouse that does not know the key yet. */
  home: string | null;
}

/** See leader_lease and sql/migrations/0003_warehouses.sql. */
export interface GateRow {
  epoch: string | undefined;
  until: EpochMs;
  closedAt: EpochMs | undefined;
  round: number;
  compared: Set<string>;
}

export type NewEvent = Pick<OrderEvent, 'kind' | 'step' | 'direction' | 'sessionId' | 'fence' | 'data'> & { version: number };

/** The tables of one warehouse in memory. Every function over them runs in one turn of the event loop, so each is atomic. */
export class MemoryDatabase {
  /** Of the "server": a test may change it, as a restart would. */
  epoch = 'memory';
  readonly orders = new Map<string, OrderRow>();
  /** Rows of `orders` that have not ended. */
  readonly open = new Set<OrderRow>();
  readonly events = new Map<string, OrderEvent[]>();
  /** All of them, as they were written. */
  readonly outbox: OrderEvent[] = [];
  readonly places = new Map<string, OutboxPlace>();
  /** Up to where statistics tell of the events. */
  countedUpto: EpochMs | undefined;
  readonly keys = new Map<string, KeyRow>();
  readonly sessions = new Map<number, SessionRow>();
  readonly workflows = new Map<string, WorkflowIdentity>();
  readonly tokens = new Map<string, StoredToken>();
  readonly attendants = new Map<number, Set<SessionAttendant>>();
  readonly lease: LeaderLease = { holder: undefined, term: 0, until: Number.NEGATIVE_INFINITY, workedAt: Number.NEGATIVE_INFINITY };
  readonly totals = { completed: 0, priced: 0, priceMillionths: 0n };
  readonly audit: Intervention[] = [];
  /** Who cancelled an order while it ran, by the order's id. */
  readonly requestedBy = new Map<string, Json>();
  /** The retry of an order, by the order's id. */
  readonly retries = new Map<string, string>();
  /** The other warehouses. */
  peers: string[] = [];
  readonly gate: GateRow = { epoch: undefined, until: Number.NEGATIVE_INFINITY, closedAt: undefined, round: 0, compared: new Set() };
  readonly flags = new Map<string, WarehouseFlag>();
  readonly settings = new Map<string, ClusterSetting>();
  readonly leases = new Map<string, { holder: string; until: EpochMs; detail: Json }>();
  readonly conflicts: KeyConflict[] = [];
  readonly bulkParts = new Map<string, BulkPart>();
  readonly webhooks = new Map<string, Webhook>();
  readonly deliveries: Delivery[] = [];
  readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  historyOf(orderId: string): OrderEvent[] {
    return this.events.get(orderId) ?? [];
  }

  addOrder(row: OrderRow, data: Json = null): void {
    assert(!this.orders.has(row.orderId), `order id ${row.orderId} was not given before`);
    this.orders.set(row.orderId, row);
    this.open.add(row);
    const { orderId, version, step, direction, fence, acceptedAt } = row;
    const event: OrderEvent = { orderId, version, kind: 'accepted', step, direction, sessionId: null, fence, at: acceptedAt, data };
    this.events.set(orderId, [event]);
    this.outbox.push(event);
  }

  /** Appends an event and changes the row with it, after asserting that the state machine allows it. */
  tell(row: OrderRow, event: NewEvent, changes: Partial<OrderRow>): void {
    const events = this.historyOf(row.orderId);
    const at = positionOf(row, events);
    const { kind, version } = event;
    const lastVersion = events.at(-1)?.version ?? 0;
    assert(version === lastVersion + 1, `version ${lastVersion + 1} follows in the history of ${row.orderId}, not ${version}`);
    assert(isAllowed(kind, row.state, at.direction), `${kind} may meet an order that is ${row.state} ${at.direction}`);
    assert(
      event.step === at.step && event.direction === at.direction,
      `${kind} tells of step ${at.step} ${at.direction}, not ${event.step} ${event.direction}`,
    );
    const { to } = TRANSITIONS[kind];
    assert((changes.state ?? row.state) === (to === 'same' ? row.state : to), `${kind} leads to ${to}, not ${changes.state ?? row.state}`);
    const told = { ...event, orderId: row.orderId, at: this.clock.now(), data: copyOf(event.data) };
    events.push(told);
    this.outbox.push(told);
    Object.assign(row, changes);
    if (isEnded(row.state)) this.open.delete(row);
  }

  /** An order that ended, with all that belongs to it. */
  forget(orderId: string): void {
    this.orders.delete(orderId);
    this.events.delete(orderId);
    for (const [name, key] of this.keys) if (key.orderId === orderId && key.home === null) this.keys.delete(name);
  }

  recordOf(row: OrderRow): OrderRecord {
    const events = copyOf(this.historyOf(row.orderId));
    const nodes = new Map<number, { nodeId: string; nodeName: string }>();
    for (const { sessionId } of events) {
      const session = sessionId === null ? undefined : this.sessions.get(sessionId);
      if (session) nodes.set(session.session, { nodeId: session.node.nodeId, nodeName: session.node.nodeName });
    }
    return { order: copyOf(row), events, nodes };
  }

  record(action: string, target: string, { actor, reason }: Author, detail: Json = null, id = String(this.audit.length + 1)): void {
    this.audit.push({ id, at: this.clock.now(), actor, action, target, reason: reason ?? null, detail });
  }

  /** The session while it may write: not declared dead. */
  writingSession(session: number): SessionRow | undefined {
    const row = this.sessions.get(session);
    return row && row.state !== 'dead' ? row : undefined;
  }
}

export function workflowKey(name: string, version: number): string {
  return `${name}@${version}`;
}

/** What is handed in or out is a copy: nobody outside changes what is stored. */
export function copyOf<Value>(value: Value): Value {
  return structuredClone(value);
}
