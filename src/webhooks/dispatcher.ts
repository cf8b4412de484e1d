import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { OUTBOX_BEGIN, type OutboxPlace } from '#engine/outbox.ts';
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
const LEASE_TTL_MS = 3_000;
const EXTEND_BEFORE_MS = 2_000;
const TURN_EVERY_MS = 200;
const NOT_MINE_MS = 1_000;
const IDLE_MS = 1_000;
const PAGE = 500;
const SPAN_MS = 3_600_000;
/** A slow receiver has so many requests of ours at most, and holds up nobody else's. */
const IN_FLIGHT_EACH = 4;
/** Longer than a try may take: a gateway that ends in the middle leaves it to the next one. */
const HOLD_MS = 30_000;
const BEFORE_CREATION_MS = 60_000;

/** Tells customers of one warehouse's orders: plans deliveries from the outbox, and sends what is due. One gateway at a time. */
export class WebhookDispatcher {
  private readonly options: DispatcherOptions;
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;
  private place: OutboxPlace | undefined;
  private leaseUntil = Number.NEGATIVE_INFINITY;
  private readonly inFlight = new Map<string, number>();

  constructor(options: DispatcherOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, log, store } = this.options;
    let isFailing = false;
    while (!this.stopping.signal.aborted) {
      let pauseMs = IDLE_MS;
      try {
        pauseMs = await this.turn();
        isFailing = false;
      } catch (error) {
        this.place = undefined;
        const level = isFailing ? 'debug' : 'warn';
        isFailing = true;
        log[level]({ warehouse: store.warehouse.name, error: messageOf(error) }, 'webhooks could not be looked after; trying again');
      }
      await sleep(clock, pauseMs, this.stopping.signal).catch(() => undefined);
    }
  }

  private async turn(): Promise<number> {
    const { store } = this.options;
    const webhooks = (await store.webhooks.list()).filter(({ deleted }) => !deleted);
    if (webhooks.length === 0) return IDLE_MS;
    if (!(await this.holdLease())) {
      this.place = undefined;
      return NOT_MINE_MS;
    }
    const isCaughtUp = await this.planMore(webhooks);
    await this.sendDue(webhooks.filter(({ enabled }) => enabled));
    return isCaughtUp ? TURN_EVERY_MS : 0;
  }

  private async holdLease(): Promise<boolean> {
    const { store, holder, clock } = this.options;
    const now = clock.monotonic();
    if (now < this.leaseUntil - EXTEND_BEFORE_MS) return true;
    const lease = await store.peers.takeLease({ name: LEASE, holder, ttlMs: LEASE_TTL_MS, detail: null });
    this.leaseUntil = lease.holder === holder ? now + LEASE_TTL_MS : Number.NEGATIVE_INFINITY;
    return lease.holder === holder;
  }

  private async planMore(webhooks: readonly Webhook[]): Promise<boolean> {
    const { store, holder } = this.options;
    this.place ??= await this.findPlace(webhooks);
    const page = await store.outbox.readOutbox(this.place, { limit: PAGE, spanMs: SPAN_MS });
    const planned = page.events.flatMap((told) => planFor(told, webhooks, store.warehouse.name));
    if (planned.length > 0) await store.webhooks.plan(planned);
    this.place = page.next;
    if (!(await store.outbox.savePlace(READER, page.next, { name: LEASE, holder }))) {
      this.place = undefined;
      this.leaseUntil = Number.NEGATIVE_INFINITY;
    }
    return page.isCaughtUp;
  }

  /** Where it was; what happened before the first webhook was made concerns nobody. */
  private async findPlace(webhooks: readonly Webhook[]): Promise<OutboxPlace> {
    const saved = await this.options.store.outbox.readPlace(READER);
    const earliest = Math.min(...webhooks.map(({ createdAt }) => createdAt)) - BEFORE_CREATION_MS;
    return Date.parse(saved.at) >= earliest ? saved : { ...OUTBOX_BEGIN, at: new Date(earliest).toISOString() };
  }

  private async sendDue(webhooks: readonly Webhook[]): Promise<void> {
    const { store } = this.options;
    const free = webhooks
      .map(({ id }) => ({ webhookId: id, free: IN_FLIGHT_EACH - (this.inFlight.get(id) ?? 0) }))
      .filter((one) => one.free > 0);
    if (free.length === 0) return;
    for (const delivery of await store.webhooks.takeDue(free, HOLD_MS)) {
      const webhook = webhooks.find(({ id }) => id === delivery.webhookId);
      if (webhook) void this.send(webhook, delivery);
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
