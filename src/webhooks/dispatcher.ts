import { messageOf } from '#domain/errors.ts';
import { formatTime } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { OUTBOX_BEGIN, type OutboxEvent, type OutboxPlace } from '#engine/outbox.ts';
import { OutboxReader } from '#engine/outbox-reader.ts';
import type { Store } from '#engine/store.ts';
import type { Delivery, Webhook } from '#engine/webhook-store.ts';
import { findReasonToDisable, GIVE_UP_AFTER_MS, judge, planFor } from './plan.ts';
import type { WebhookSender } from './sender.ts';

export interface DispatcherOptions {
  store: Store;
  sender: WebhookSender;
  /** Of this process: who holds the lease of the warehouse's webhooks. */
  holder: string;
  clock: Clock;
  log: Log;
  /** Makes the change known in every warehouse. */
  disable: (webhook: Webhook, because: string) => Promise<void>;
}

const LEASE = 'webhooks';
const READER = 'webhooks';
const IDLE_MS = 200;
const RETRY_MS = 1_000;
/** How late a new webhook may be noticed while nothing happens that it could be told of. */
const LIST_EVERY_MS = 1_000;
/** A slow receiver has so many requests of ours at most, and holds up nobody else's. */
const IN_FLIGHT_EACH = 4;
/** Longer than a try may take: a gateway that ends in the middle leaves it to the next one. */
const HOLD_MS = 30_000;
const BEFORE_CREATION_MS = 60_000;

/** Tells customers of one warehouse's orders: plans deliveries from the outbox, and sends what is due. One gateway at a time. */
export class WebhookDispatcher {
  private readonly options: DispatcherOptions;
  private readonly reader: OutboxReader;
  private readonly inFlight = new Map<string, number>();
  private webhooks: readonly Webhook[] = [];
  private listedAt = Number.NEGATIVE_INFINITY;

  constructor(options: DispatcherOptions) {
    this.options = options;
    const { store, holder, clock, log } = options;
    this.reader = new OutboxReader({
      ...{ store, name: READER, lease: { name: LEASE, holder }, clock, idleMs: IDLE_MS, retryMs: RETRY_MS },
      isWanted: () => this.hasWebhooks(),
      begin: (saved) => this.findPlace(saved),
      handle: (events) => this.dispatch(events),
      onFailure: (error, isFirst) =>
        log[isFirst ? 'warn' : 'debug'](
          { warehouse: store.warehouse.name, error: messageOf(error) },
          'webhooks could not be looked after; trying again',
        ),
    });
  }

  start(): void {
    this.reader.start();
  }

  async stop(): Promise<void> {
    await this.reader.stop();
  }

  private async hasWebhooks(): Promise<boolean> {
    const isFresh = this.options.clock.monotonic() - this.listedAt < LIST_EVERY_MS;
    if (this.webhooks.length === 0 || !isFresh) await this.listWebhooks();
    return this.webhooks.length > 0;
  }

  private async listWebhooks(): Promise<void> {
    const { store, clock } = this.options;
    this.listedAt = clock.monotonic();
    this.webhooks = (await store.webhooks.list()).filter(({ deleted }) => !deleted);
  }

  /** Where it was; what happened before the first webhook was made concerns nobody. */
  private findPlace(saved: OutboxPlace): OutboxPlace {
    const earliest = Math.min(...this.webhooks.map(({ createdAt }) => createdAt)) - BEFORE_CREATION_MS;
    return Date.parse(saved.at) >= earliest ? saved : { ...OUTBOX_BEGIN, at: formatTime(earliest) };
  }

  private async dispatch(events: readonly OutboxEvent[]): Promise<void> {
    const { store } = this.options;
    if (events.length > 0) {
      // Listed after the events were read: whatever webhook was there when one of them happened gets it.
      await this.listWebhooks();
      const planned = events.flatMap((told) => planFor(told, this.webhooks, store.warehouse.name));
      if (planned.length > 0) await store.webhooks.plan(planned);
    }
    await this.sendDue();
  }

  private async sendDue(): Promise<void> {
    const { store } = this.options;
    const free = this.webhooks
      .filter(({ enabled }) => enabled)
      .map(({ id }) => ({ webhookId: id, free: IN_FLIGHT_EACH - (this.inFlight.get(id) ?? 0) }))
      .filter((one) => one.free > 0);
    if (free.length === 0) return;
    const due = await store.webhooks.takeDue(free, HOLD_MS);
    // Whoever has changed or disabled a webhook meanwhile must not see it called as it was.
    if (due.length > 0) await this.listWebhooks();
    for (const delivery of due) {
      const webhook = this.webhooks.find(({ id }) => id === delivery.webhookId);
      if (webhook?.enabled) void this.send(webhook, delivery);
    }
  }

  private async send(webhook: Webhook, delivery: Delivery): Promise<void> {
    const { sender, store, clock, log, disable } = this.options;
    this.count(webhook.id, 1);
    try {
      const answer = await sender.send(webhook, delivery);
      // Whoever changed or enabled it has three days from then.
      const since = Math.max(delivery.since, webhook.changedAt);
      const attempt = judge(answer, { ...delivery, since }, clock.now(), clock.random());
      await store.webhooks.finish(delivery.id, attempt);
      if (attempt.state !== 'given_up') return;
      const hasDelivered = await store.webhooks.hasDelivered(webhook.id, clock.now() - GIVE_UP_AFTER_MS);
      const reason = findReasonToDisable(attempt, hasDelivered);
      if (reason === undefined) return;
      log.warn({ webhook: webhook.id, customer: webhook.customerId, reason }, 'a webhook is disabled');
      await disable(webhook, reason);
    } catch (error) {
      log.debug({ webhook: webhook.id, error: messageOf(error) }, 'what became of a delivery could not be written down; it is sent again');
    } finally {
      this.count(webhook.id, -1);
    }
  }

  private count(webhookId: string, change: 1 | -1): void {
    const count = (this.inFlight.get(webhookId) ?? 0) + change;
    if (count > 0) this.inFlight.set(webhookId, count);
    else this.inFlight.delete(webhookId);
  }
}
