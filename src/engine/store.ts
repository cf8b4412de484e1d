import type { Json } from '#domain/json.ts';
import type { Because, OrderContent, OrderEvent, OrderRecord } from '#domain/order.ts';
import type { Direction, EventKind, OrderStatus } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import type { BulkStore } from './bulk-store.ts';
import type { OperationStore } from './operation-store.ts';
import type { OutboxStore } from './outbox.ts';
import type { PeerStore } from './peer-store.ts';
import type { Closing } from './plan.ts';
import type { RetentionStore } from './retention-store.ts';
import type { StatisticsStore } from './statistics-store.ts';
import type { WebhookStore } from './webhook-store.ts';

/**
 * The store port: everything that the rest of the system asks of one warehouse's database. The engine owns it; PostgreSQL
 * and memory implement it, and one conformance suite runs over both. Batches in, one answer per item out, in order.
 *
 * Expected outcomes (`fenced`, `existing`, …) are values. A rejection means that the outcome is unknown: the caller asks
 * again (advance), reads what it owns (claim), or tells its client to repeat with the same key (accept).
 */
export interface Store {
  /** The warehouse this database belongs to. */
  readonly warehouse: WarehouseIdentity;

  /** Makes workflow versions known to the database and refuses a version whose steps differ from what is stored. */
  registerWorkflows(workflows: readonly WorkflowIdentity[]): Promise<void>;

  /**
   * Stores new orders, each with its `accepted` event and its keys, durably; a key that exists answers with its order. With `hint`
   * nodes are told of the new ones as by `wakeNodes`.
   */
  acceptOrders(orders: NewOrder[], options?: { hint?: boolean }): Promise<AcceptVerdict[]>;
  /** Row and history of each order; `undefined` for an unknown id. */
  readOrders(orderIds: string[]): Promise<(OrderRecord | undefined)[]>;
  /** A page, newest first. Histories are complete. */
  listOrders(filter: OrderFilter): Promise<OrderRecord[]>;
  /** Only the ids of the same page. */
  listOrderIds(filter: OrderFilter): Promise<string[]>;
  /** How many orders the same page has: counting ends at `limit`. */
  countOrders(filter: OrderFilter): Promise<number>;
  /** The events of each order after the version its reader knows. */
  readEventsAfter(cursors: EventCursor[]): Promise<OrderEvent[][]>;
  /** Ends an order that nothing works, or asks the owner of one that runs to undo it. Recorded with its author. */
  cancelOrder(request: CancelRequest): Promise<CancelVerdict>;

  /**
   * Begins a node's life. The number it returns is the fencing token of every write that follows.
   * @param asked what an operator asked of the node in its last life and still wants
   */
  openSession(node: NodeDescription, ttlMs: number, asked?: NodeWish): Promise<number>;
  /** The node's one regular call: extends the lease, reports load, and brings back all there is to know. `undefined`: declared dead. */
  tick(session: number, ttlMs: number, load: NodeLoad): Promise<TickReport | undefined>;
  /** Takes as many due orders as are asked for, oldest first, and starts their present step. */
  claimOrders(session: number, limit: number): Promise<ClaimedOrder[]>;
  /** Writes moves of orders this session owns. At most one move of an order may be under way. */
  advanceOrders(session: number, moves: OrderMove[]): Promise<MoveVerdict[]>;
  /** What the session owns according to the database, with histories folded: the answer to every unknown outcome of a claim. */
  readOwnedOrders(session: number): Promise<ClaimedOrder[]>;
  /**
   * Sessions whose node held its liveness lock and holds it no more: its process is gone, or its connection. None within
   * `graceMs` of a start of the database, which takes everybody's lock.
   */
  findLostSessions(graceMs: number): Promise<number[]>;
  /**
   * Ends sessions whose condition for `reason` holds and gives their orders back to the queue. Safe to call by anyone, any
   * time. A session whose row someone else locks at the moment is passed over: ask again.
   */
  endSessions(sessions: number[], reason: EndReason): Promise<EndedSession[]>;

  /** Hints to nodes with free slots that this many orders wait. May be lost. */
  wakeNodes(orderCount: number): Promise<void>;
  /** Holds the session's liveness lock and passes on every hint for it, until closed. */
  attendSession(session: number, attendant: SessionAttendant): Promise<Subscription>;

  /** Order counts and live nodes, for health and routing. */
  readLoad(): Promise<WarehouseLoad>;
  /** What the completed orders add up to, whatever became of the orders' rows. */
  readTotals(): Promise<OrderTotals>;
  readonly tokens: TokenStore;
  readonly operations: OperationStore;
  readonly peers: PeerStore;
  readonly outbox: OutboxStore;
  readonly bulk: BulkStore;
  readonly webhooks: WebhookStore;
  readonly retention: RetentionStore;
  readonly statistics: StatisticsStore;
  close(): Promise<void>;
}

export interface WarehouseIdentity {
  name: string;
  /** 0 to 16,383; part of every order id. */
  number: number;
}

export interface WorkflowIdentity {
  name: string;
  version: number;
  stepNames: readonly string[];
}

/** The customer's keys; each names at most one order per customer. */
export interface OrderKey {
  kind: 'header' | 'tracking' | 'client';
  key: string;
}

export interface NewOrder {
  orderId: string;
  customerId: string;
  workflow: string;
  workflowVersion: number;
  content: OrderContent;
  keys: OrderKey[];
  /** SHA-256 of the body's canonical JSON; null without keys. */
  bodyHash: Buffer | null;
  /** Why it is stored in this warehouse; null where that is its region's own. */
  routedBecause: Because | null;
  /** The warehouse where its keys are looked up first, where that does not know them yet. */
  unsettledHome: string | null;
}

export type AcceptVerdict =
  | { outcome: 'created'; orderId: string; acceptedAt: EpochMs }
  | { outcome: 'existing'; orderId: string; acceptedAt: EpochMs }
  /** A key leads to an order of another warehouse: its id tells which. It may not be stored there yet. */
  | { outcome: 'elsewhere'; orderId: string }
  /** The key belongs to an order with another body. */
  | { outcome: 'other_body'; key: OrderKey }
  /** Two of the keys belong to two different orders. */
  | { outcome: 'keys_disagree'; key: OrderKey };

/** Only orders for which every given condition holds. `limit` rows at most, ids below `beforeId`. */
export interface OrderFilter {
  customerId?: string;
  /** Any of these. */
  statuses?: readonly OrderStatus[];
  /** The name of the present step of an order that is not ended. */
  step?: string;
  region?: string;
  nodeId?: string;
  customerName?: string;
  symbol?: string;
  trackingId?: string;
  /** The beginning of the id: hexadecimal digits, dashes left out. */
  idDigits?: string;
  /** Accepted at or after. */
  since?: EpochMs;
  /** Accepted before. */
  until?: EpochMs;
  beforeId?: string;
  limit: number;
}

export interface EventCursor {
  orderId: string;
  afterVersion: number;
}

export interface CancelRequest {
  orderId: string;
  /** Another customer's order is unknown; absent for an operator. */
  customerId: string | undefined;
  /** Who asks, as the history shows it. */
  actor: string;
  reason: string | undefined;
}

export type CancelVerdict =
  | { outcome: 'cancelled' }
  /** Its owner, or the next one, undoes it. */
  | { outcome: 'requested' }
  /** It ended, is being undone already, or is stopped. */
  | { outcome: 'refused'; status: OrderStatus }
  | { outcome: 'unknown' };

export interface NodeDescription {
  /** Stable over the node's lives. */
  nodeId: string;
  nodeName: string;
  slots: number;
  version: string;
  host: string;
  pid: number;
  /** Of its operations port; `undefined` where it has none. */
  address: string | undefined;
  workflows: readonly { name: string; version: number }[];
}

/** What a node says of itself with its tick, and what it wants of it. */
export interface NodeLoad {
  busy: number;
  /** Claims nothing; what runs goes on. */
  draining: boolean;
  /** It holds its liveness lock: from now on losing that ends the session. */
  hasLiveness: boolean;
  /** Also answer which sessions have lost theirs. */
  lookForLost: boolean;
  /** Absent: it does not want to lead. */
  leading: LeadershipBid | undefined;
  counts: SessionCounts;
}

/** What a node counted in all its lives, as the cluster shows it. */
export interface SessionCounts {
  fencedWrites: number;
  /** Sessions of others that it ended, and the orders it handed on with them. */
  takeovers: number;
  handedOver: number;
}

export interface LeadershipBid {
  /** Its present term; `undefined` when it does not lead. */
  term: number | undefined;
  /** Its chores were done since the last tick. A leader that only renews loses its lease. */
  worked: boolean;
}

export interface TickReport {
  /** Changes when the database was restarted. */
  databaseEpoch: string;
  /** By the database's clock: the pace that all nodes share. */
  databaseNow: EpochMs;
  /** Who leads, whether it is this session or another. */
  leader: number | undefined;
  /** Every session that is not dead, this one included. */
  sessions: { session: number; beat: number; expired: boolean }[];
  /** How many orders this session owns: more than the node knows of means that an answer was lost. */
  ownedCount: number;
  /** Orders of this session that someone wants cancelled. */
  cancelRequests: string[];
  /** Whether an order waits that may be claimed now. */
  workDue: boolean;
  /** What an operator asked of this node. */
  asked: NodeWish | undefined;
  /** Set when this session leads. */
  leaderTerm: number | undefined;
  /** Orders with keys that this session owned before an outage wait, like those in the queue. */
  gateShut: boolean;
  /** This session leads, and the gate needs `peers.turnGate`. */
  gateNeedsTurn: boolean;
  /** Set when it was asked for. */
  lostSessions: number[] | undefined;
}

/** An order in a node's hands, with all that running its present step needs. */
export interface ClaimedOrder {
  orderId: string;
  customerId: string;
  workflow: string;
  workflowVersion: number;
  content: OrderContent;
  step: number;
  direction: Direction;
  fence: number;
  /** Of the last event. */
  version: number;
  retries: number;
  /** How often a slot began the present step in the present direction, this time included. */
  attempt: number;
  /** Results of completed steps; index 0 is step 1. */
  results: Json[];
  /** How the step to be undone ended, by step; only for steps that did not complete. */
  brokenStep: { step: number; outcome: 'failed' | 'unknown' } | undefined;
  cancelRequested: boolean;
  /** How many nodes died while they had it; see `isSuspect`. */
  crashCount: number;
  /** It may have been sent elsewhere too: see `TickReport.gateShut`. */
  keyed: boolean;
}

export interface OrderMove {
  orderId: string;
  fence: number;
  /** The version the new event gets: the last known one plus one. */
  version: number;
  kind: EventKind;
  step: number;
  direction: Direction;
  /** Of a `cancel_started` the store knows more: who asked for it, and why. */
  data: Json;
  /** Set when the order leaves the session's hands. */
  closing: Closing | undefined;
  /** Of an order that completes: a decimal number that goes into the totals. */
  executionPrice?: string | undefined;
}

/**
 * `applied`: written. `replayed`: an earlier sending of the same move had been written (where it is still under way, `applied` may be
 * said of both; the history has it once). `fenced`: the order is not this
 * session's any more. `cancel_requested`: not written, because a cancel waits: the order may neither complete nor wait
 * for a retry; it is to be undone.
 */
export type MoveVerdict = 'applied' | 'replayed' | 'fenced' | 'cancel_requested';

/**
 * Why a session ends. `expired` needs a lease that has run out, `connection_lost` a liveness lock that nobody holds; the
 * others are its node's or an operator's word.
 */
export type EndReason = 'expired' | 'connection_lost' | 'left' | 'transfer';

export interface EndedSession {
  session: number;
  handedOver: number;
}

export interface WarehouseLoad {
  queued: number;
  running: number;
  liveNodes: number;
  slots: number;
  busy: number;
}

export interface OrderTotals {
  completed: number;
  /** Completed orders that have an execution price. */
  priced: number;
  /** A decimal number, exact. */
  priceSum: string;
}

export type Hint = 'work' | 'wish';

/**
 * `held`: others see this session's end as soon as its process or its connection ends. `lost`: they may see it ended now,
 * so it must stop at once; `held` may follow when the connection is back before anyone acted. `unavailable`: only the lease
 * tells of its end.
 */
export type Liveness = 'held' | 'lost' | 'unavailable';

export interface SessionAttendant {
  onHint: (hint: Hint) => void;
  onLiveness: (liveness: Liveness) => void;
}

export interface Subscription {
  close(): Promise<void>;
}

/** Who does something by hand, and why. */
export interface Author {
  actor: string;
  reason: string | undefined;
}

export type NodeWish = 'drain' | 'stop';

export interface ClusterReport {
  leader: { session: number; term: number; nodeId: string; nodeName: string } | undefined;
  sessions: SessionReport[];
}

export interface SessionReport extends NodeDescription {
  session: number;
  state: 'live' | 'draining' | 'dead';
  busy: number;
  hasLiveness: boolean;
  asked: NodeWish | undefined;
  startedAt: EpochMs;
  lastBeatAt: EpochMs;
  /** What is left of its lease; negative when it has run out. */
  leaseMs: number;
  endedAt: EpochMs | null;
  endedReason: string | null;
  counts: SessionCounts;
}

/** `join` lets a node ask a gateway for its warehouse, and nothing else. */
export type Role = 'customer' | 'operator' | 'join';

export interface StoredToken {
  tokenId: string;
  name: string;
  role: Role;
  createdAt: EpochMs;
  revokedAt: EpochMs | null;
}

/** Access tokens. Only hashes are stored; the name of a customer's token is the customer. */
export interface TokenStore {
  create(token: { tokenId: string; hash: Buffer; name: string; role: Role }): Promise<void>;
  /** By SHA-256 of the token. A revoked one is found too: another warehouse may not know of that yet. */
  find(hashes: Buffer[]): Promise<(StoredToken | undefined)[]>;
  list(): Promise<StoredToken[]>;
  /** By id or name; answers those that were revoked now. */
  revoke(idOrName: string): Promise<StoredToken[]>;
}
