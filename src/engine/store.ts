import type { Json } from '#domain/json.ts';
import type { OrderContent, OrderEvent, OrderRecord } from '#domain/order.ts';
import type { Direction, EventKind, OrderStatus } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import type { Closing } from './plan.ts';

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

  /** Stores new orders, each with its `accepted` event and its keys, durably; a key that exists answers with its order. */
  acceptOrders(orders: NewOrder[]): Promise<AcceptVerdict[]>;
  /** Row and history of each order; `undefined` for an unknown id. */
  readOrders(orderIds: string[]): Promise<(OrderRecord | undefined)[]>;
  /** A page, newest first. Histories are complete. */
  listOrders(filter: OrderFilter): Promise<OrderRecord[]>;
  /** The events of each order after the version its reader knows. */
  readEventsAfter(cursors: EventCursor[]): Promise<OrderEvent[][]>;
  /** Ends an order that nothing works, or asks the owner of one that runs to undo it. Recorded with its author. */
  cancelOrder(request: CancelRequest): Promise<CancelVerdict>;

  /** Begins a node's life. The number it returns is the fencing token of every write that follows. */
  openSession(node: NodeDescription, ttlMs: number): Promise<number>;
  /** The node's one regular call: extends the lease, reports load, and brings back all there is to know. `undefined`: declared dead. */
  tick(session: number, ttlMs: number, load: NodeLoad): Promise<TickReport | undefined>;
  /** Takes as many due orders as are asked for, oldest first, and starts their present step. */
  claimOrders(session: number, limit: number): Promise<ClaimedOrder[]>;
  /** Writes moves of orders this session owns. At most one move of an order may be under way. */
  advanceOrders(session: number, moves: OrderMove[]): Promise<MoveVerdict[]>;
  /** What the session owns according to the database, with histories folded: the answer to every unknown outcome of a claim. */
  readOwnedOrders(session: number): Promise<ClaimedOrder[]>;
  /** Ends sessions whose condition for `reason` holds and gives their orders back to the queue. Safe to call by anyone, any time. */
  endSessions(sessions: number[], reason: EndReason): Promise<EndedSession[]>;

  /** Hints to nodes with free slots that this many orders wait. May be lost. */
  wakeNodes(orderCount: number): Promise<void>;
  /** Calls back on every hint for the session until closed: orders wait, or someone wishes something of a running one. */
  listenForWork(session: number, onHint: (hint: Hint) => void): Promise<Subscription>;

  /** Order counts and live nodes, for health and routing. */
  readLoad(): Promise<WarehouseLoad>;
  readonly tokens: TokenStore;
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
}

export type AcceptVerdict =
  | { outcome: 'created'; orderId: string; acceptedAt: EpochMs }
  | { outcome: 'existing'; orderId: string; acceptedAt: EpochMs }
  /** The key belongs to an order with another body. */
  | { outcome: 'other_body'; key: OrderKey }
  /** Two of the keys belong to two different orders. */
  | { outcome: 'keys_disagree'; key: OrderKey };

/** Only orders for which every given condition holds. `limit` rows at most, ids below `beforeId`. */
export interface OrderFilter {
  customerId?: string;
  status?: OrderStatus;
  /** The name of the present step of an order that is not ended. */
  step?: string;
  region?: string;
  nodeId?: string;
  customerName?: string;
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
  workflows: readonly { name: string; version: number }[];
}

export interface NodeLoad {
  busy: number;
  /** Claims nothing any more; what runs goes on. */
  draining: boolean;
}

export interface TickReport {
  /** Changes when the database was restarted. */
  databaseEpoch: string;
  /** Every session that is not dead, this one included. */
  sessions: { session: number; beat: number; expired: boolean }[];
  /** Orders of this session that someone wants cancelled. */
  cancelRequests: string[];
  /** Whether an order waits that may be claimed now. */
  workDue: boolean;
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
}

export interface OrderMove {
  orderId: string;
  fence: number;
  /** The version the new event gets: the last known one plus one. */
  version: number;
  kind: EventKind;
  step: number;
  direction: Direction;
  data: Json;
  /** Set when the order leaves the session's hands. */
  closing: Closing | undefined;
}

/**
 * `applied`: written. `replayed`: an earlier sending of the same move had been written. `fenced`: the order is not this
 * session's any more. `cancel_requested`: not written, because a cancel waits: the order may neither complete nor wait
 * for a retry; it is to be undone.
 */
export type MoveVerdict = 'applied' | 'replayed' | 'fenced' | 'cancel_requested';

/** Why a session ends. `expired` needs a lease that has run out; the others are its node's or an operator's word. */
export type EndReason = 'expired' | 'left' | 'transfer';

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

export type Hint = 'work' | 'wish';

export interface Subscription {
  close(): Promise<void>;
}

export type Role = 'customer' | 'operator';

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
  /** By SHA-256 of the token; revoked ones are not found. */
  find(hashes: Buffer[]): Promise<(StoredToken | undefined)[]>;
  list(): Promise<StoredToken[]>;
  /** By id or name; answers those that were revoked now. */
  revoke(idOrName: string): Promise<StoredToken[]>;
}
