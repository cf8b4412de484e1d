import type { Json } from './json.ts';
import type { Direction, EventKind, OrderState } from './order-state.ts';
import type { EpochMs } from './time.ts';

/** One position of an order. */
export interface OrderItem {
  sku: string;
  quantity: number;
  /** A decimal string, such as `12.50`. */
  unit_price?: string;
}

/** What the customer sent, as it was sent: only known fields, all of them optional. Names are those of the wire. */
export interface OrderContent {
  customer_name?: string;
  region?: string;
  symbol?: string;
  quantity?: number;
  detail?: string;
  items?: OrderItem[];
  tracking_id?: string;
  /** The client's own id; ours is never called so inside the system. */
  order_id?: string;
  timestamp?: string;
  metadata?: { [key: string]: Json };
}

/** Why something is as it is: a word for programs, a sentence for people, and when that changes by itself. */
export interface Because {
  code: string;
  message: string;
  /** RFC 3339. */
  until?: string;
}

/** An order as the store keeps it. While it is running, `step` and `direction` are those of its last claim: the events tell the rest. */
export interface Order {
  orderId: string;
  customerId: string;
  workflow: string;
  workflowVersion: number;
  content: OrderContent;
  state: OrderState;
  direction: Direction;
  /** From 1. */
  step: number;
  /** The session that works it; set exactly while the state is `running`. */
  ownerSession: number | null;
  /** Grows with every claim and every end of an ownership; the token for everything outside the database. */
  fence: number;
  /** Of the last event that wrote this row. */
  version: number;
  /** When it may be claimed; while it runs, when it was. */
  nextRunAt: EpochMs;
  /** How often the present step was put off because of an infrastructure error. */
  retries: number;
  acceptedAt: EpochMs;
  endedAt: EpochMs | null;
  /** What someone outside wants of a running order; its owner acts on it. */
  requested: 'cancel' | null;
  /** How many nodes died while they had it; it stops at `SUSPECT_AFTER_CRASHES`. */
  crashCount: number;
  /** The order whose content this one repeats. */
  retryOf: string | null;
  /** Why it is in this warehouse; null where that is its region's own. */
  routedBecause: Because | null;
  /** Its customer may have sent it under a key elsewhere too: after an outage it waits until that is known. */
  keyed: boolean;
}

/** After so many deaths of nodes that had it, an order runs in a process of its own. */
export const SUSPECT_AFTER_CRASHES = 2;

/** Whether the order may be what kills the nodes that work it. */
export function isSuspect({ crashCount }: Pick<Order, 'crashCount'>): boolean {
  return crashCount >= SUSPECT_AFTER_CRASHES;
}

/** One line of an order's history. Version 1 is `accepted`; there is no gap. */
export interface OrderEvent {
  orderId: string;
  version: number;
  kind: EventKind;
  /** The step the event tells of. */
  step: number;
  direction: Direction;
  /** Who wrote it: a node's session, or nobody for what comes from outside. */
  sessionId: number | null;
  fence: number;
  at: EpochMs;
  /** The step's result, its error, who cancelled and why: depends on the kind (docs/events.md). */
  data: Json;
}

/** The session of a node as far as an order's reader needs it. */
export interface SessionName {
  nodeId: string;
  nodeName: string;
}

/** All that is known of one order: its row, its history, and the nodes the history names. */
export interface OrderRecord {
  order: Order;
  events: OrderEvent[];
  nodes: ReadonlyMap<number, SessionName>;
}
