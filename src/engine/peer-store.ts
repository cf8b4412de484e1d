import type { Json } from '#domain/json.ts';
import type { EpochMs } from '#domain/time.ts';
import type { Author, OrderKey, StoredToken } from './store.ts';
import type { Webhook } from './webhook-store.ts';

/**
 * What a warehouse shares with the other warehouses of its cluster: keys that lead to orders elsewhere, the gate that holds
 * orders after an outage until their keys were compared, and what belongs to the whole cluster. Warehouses never talk to each
 * other: gateways, which see all of them, carry this from one to the next. docs/decisions/0007-keys-across-warehouses.md.
 */
export interface PeerStore {
  /** How the warehouse is. So cheap that every gateway asks twice a second. */
  readPulse(): Promise<Pulse>;
  /**
   * Tells the warehouse which others there are, besides those that it knows; answers all. Without any, its gate stays open: a
   * gateway that knows fewer than another must not open it.
   */
  addPeers(names: readonly string[]): Promise<string[]>;
  /** One of them is gone for good: nothing waits for it any more. `false`: it was not known. */
  forgetPeer(name: string): Promise<boolean>;

  /** Makes keys lead to orders that are about to be stored in other warehouses; a key that is taken says by whom. */
  reserveKeys(reservations: KeyReservation[]): Promise<ReserveVerdict[]>;
  /** Who holds each key here, be it an order of this warehouse or of another. */
  findKeys(keys: CustomerKey[]): Promise<(KeyHolder | undefined)[]>;
  /** Keys of orders stored here that their home warehouse does not know yet. */
  listUnsettledKeys(home: string, limit: number): Promise<StoredKey[]>;
  /** Makes another warehouse's keys known here, where they are free; who holds each of them now. */
  adoptKeys(keys: StoredKey[]): Promise<KeyHolder[]>;
  /** Lets a key that led to an order that was never stored lead to the one that was. */
  repointKey(key: CustomerKey, from: string, to: string): Promise<void>;
  /** Their home knows these keys now. */
  settleKeys(keys: CustomerKey[]): Promise<void>;

  /** The leader's chore while the gate is not open; see `GateReport`. Marks what could not be compared within `limitMs`. */
  turnGate(request: { session: number; term: number; keepMs: number; limitMs: number }): Promise<GateTurn>;
  /** The keys of another warehouse were compared in this round. Answers whether the gate is open now. */
  noteCompared(peer: string, round: number): Promise<boolean>;

  recordConflict(conflict: NewConflict): Promise<void>;
  /** Newest first; open ones only, unless all are asked for. */
  listConflicts(page: { all: boolean; limit: number; beforeId?: string }): Promise<KeyConflict[]>;
  /** Recorded in the same transaction; `undefined`: there is no such open conflict here. */
  resolveConflict(conflictId: string, author: Author): Promise<KeyConflict | undefined>;

  /** Takes or extends a lease of the cluster; nobody else has it until it ends. Answers who holds it now. */
  takeLease(request: { name: string; holder: string; ttlMs: number; detail: Json }): Promise<ClusterLease>;
  /** `undefined`: nobody ever held it. */
  readLease(name: string): Promise<ClusterLease | undefined>;

  exportShared(): Promise<SharedRecords>;
  /** Adds what is missing here and takes over what is newer; nothing is taken back. */
  importShared(records: SharedRecords): Promise<void>;
}

export interface Pulse {
  liveNodes: number;
  slots: number;
  busy: number;
  gate: GateReport;
  /** Homes that do not know the keys of some orders stored here. */
  unsettledHomes: string[];
  flags: WarehouseFlag[];
  settings: ClusterSetting[];
  openConflicts: number;
  /** Operations on many orders that have something to do here. */
  runningBulks: number;
}

/**
 * The gate of a warehouse. It is shut by itself when the server was restarted or no leader could attend it for a while; then
 * orders with keys that were accepted before wait until the keys of all other warehouses were compared.
 */
export interface GateReport {
  open: boolean;
  round: number;
  /** Other warehouses that were compared in this round. */
  compared: string[];
}

/** For so many leases after the leader's last tick the gate stays as it is: a leader's end is no outage. */
export const GATE_LEASES = 2;

/** `forced`: opened after the time limit, with so many orders marked. */
export interface GateTurn {
  state: 'open' | 'closed' | 'forced' | 'not_leader';
  marked: number;
}

export interface CustomerKey extends OrderKey {
  customerId: string;
}

export interface KeyHolder {
  orderId: string;
  bodyHash: Buffer;
}

export interface StoredKey extends CustomerKey, KeyHolder {}

export interface KeyReservation {
  orderId: string;
  customerId: string;
  keys: OrderKey[];
  bodyHash: Buffer;
}

export type ReserveVerdict =
  | { outcome: 'reserved' }
  | { outcome: 'existing'; orderId: string }
  | { outcome: 'other_body' | 'keys_disagree'; key: OrderKey };

/**
 * `both_processed`: two orders of one key were carried to their ends. `other_body`: one key, two orders with different
 * bodies. `not_compared`: the order ran although a warehouse that may have run its like could not be asked.
 */
export type ConflictKind = 'both_processed' | 'other_body' | 'not_compared';

export interface NewConflict {
  kind: ConflictKind;
  customerId: string;
  key: OrderKey | undefined;
  orderId: string;
  otherOrderId: string | undefined;
}

export interface KeyConflict extends NewConflict {
  id: string;
  foundAt: EpochMs;
  /** Warehouses that could not be asked. */
  missing: string[];
  resolvedAt: EpochMs | null;
  resolvedBy: string | null;
  resolution: string | null;
}

/** A warehouse that is disabled gets no new orders. The same record is kept in every warehouse; the higher version is right. */
export interface WarehouseFlag {
  name: string;
  disabled: boolean;
  version: number;
  changedAt: EpochMs;
  changedBy: string;
  reason: string | null;
}

/** What the whole cluster has settled. The same record is kept in every warehouse; the higher version is right. */
export interface ClusterSetting {
  name: string;
  value: Json;
  version: number;
  changedAt: EpochMs;
  changedBy: string;
}

export interface ClusterLease {
  holder: string;
  /** What is left of it; negative when it has run out. */
  leaseMs: number;
  detail: Json;
}

export interface SharedRecords {
  tokens: (StoredToken & { hash: Buffer })[];
  flags: WarehouseFlag[];
  settings: ClusterSetting[];
  webhooks: Webhook[];
}
