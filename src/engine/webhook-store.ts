import type { Json } from '#domain/json.ts';
import type { EpochMs } from '#domain/time.ts';

/** Telling customers of their orders: where, and what became of it. Registrations travel with `SharedRecords`. */
export interface WebhookStore {
  /** Deleted ones too, until everybody knows. */
  list(): Promise<Webhook[]>;
  /** Those that are planned already stay as they are. */
  plan(deliveries: NewDelivery[]): Promise<void>;
  /**
   * Due deliveries, at most `free` of each webhook, and of an order only the earliest event that waits. Nobody else gets them for
   * `holdMs`.
   */
  takeDue(free: { webhookId: string; free: number }[], holdMs: number): Promise<Delivery[]>;
  finish(deliveryId: string, attempt: DeliveryAttempt): Promise<void>;
  /** What was given up, or failed and waits, begins anew: its webhook is enabled again. At most 10,000 of each. */
  resume(webhookId: string): Promise<void>;
  /** Whether any of the webhook's deliveries succeeded since then. */
  hasDelivered(webhookId: string, since: EpochMs): Promise<boolean>;
  /** Newest first. */
  listDeliveries(page: { webhookId: string; limit: number; beforeId?: string }): Promise<Delivery[]>;
  /** Tries it once more from the beginning, whatever became of it; `undefined`: there is none here. */
  redeliver(deliveryId: string, webhookIds: string[]): Promise<Delivery | undefined>;
}

export interface Webhook {
  id: string;
  customerId: string;
  url: string;
  /** Of events. */
  kinds: string[];
  /** Base64. */
  secret: string;
  enabled: boolean;
  disabledBecause: string | null;
  deleted: boolean;
  createdAt: EpochMs;
  version: number;
  changedAt: EpochMs;
}

export interface NewDelivery {
  webhookId: string;
  orderId: string;
  version: number;
  body: Json;
}

export interface Delivery extends NewDelivery {
  id: string;
  state: 'waiting' | 'delivered' | 'given_up';
  attempts: number;
  createdAt: EpochMs;
  /** When the first of the present tries was due. */
  since: EpochMs;
  nextAt: EpochMs;
  lastAt: EpochMs | null;
  lastStatus: number | null;
  lastError: string | null;
}

export interface DeliveryAttempt {
  state: Delivery['state'];
  status: number | null;
  error: string | null;
  /** Until the next try, where it waits. */
  delayMs: number;
}
