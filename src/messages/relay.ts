import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { OutboxPage, OutboxPlace } from '#engine/outbox.ts';
import type { Store } from '#engine/store.ts';
import type { BrokerUser } from './broker.ts';
import { CLOUD_EVENT_TYPE, routingKeyOf, toCloudEvent } from './cloud-event.ts';

export const EXCHANGE = 'conveyor.orders';
/** The reader's name in the outbox. */
export const RELAY = 'amqp';

export interface RelayOptions {
  store: Store;
  /** Of this process: who holds the lease of the warehouse's relay. */
  holder: string;
  clock: Clock;
  log: Log;
}

const LEASE = 'relay';
const LEASE_TTL_MS = 3_000;
const EXTEND_BEFORE_MS = 2_000;
const PAGE = 500;
const IDLE_MS = 100;
const NOT_MINE_MS = 500;
const FAILED_MS = 500;
const MIN_SPAN_MS = 1_000;
const MAX_SPAN_MS = 86_400_000;
/** The place moves on while nothing happens; it need not be written down each time. */
const SAVE_IDLE_EVERY_MS = 5_000;

/**
 * Announces what happens in one warehouse: events in the order of the outbox, confirmed by the broker before its place is saved. At
 * least once, each order's events in their order: after a crash it goes on where it last saved, with events it may have sent.
 */
export class Relay implements BrokerUser {
  private readonly options: RelayOptions;
  private readonly stopping = new AbortController();
  private channel: ConfirmChannel | undefined;
  private running: Promise<void> | undefined;
  private place: OutboxPlace | undefined;
  private leaseUntil = Number.NEGATIVE_INFINITY;
  private spanMs = MIN_SPAN_MS;
  private savedAt = Number.NEGATIVE_INFINITY;

  constructor(options: RelayOptions) {
    this.options = options;
  }

  start(): void {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  async onConnect(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
    channel.on('error', (error) => this.options.log.warn({ error: messageOf(error) }, 'the channel for announcements broke'));
    channel.on('close', () => {
      if (this.channel === channel) this.channel = undefined;
    });
    this.channel = channel;
  }

  onDisconnect(): void {
    this.channel = undefined;
  }

  private async run(): Promise<void> {
    const { clock, log, store } = this.options;
    while (!this.stopping.signal.aborted) {
      let pauseMs = IDLE_MS;
      try {
        pauseMs = await this.turn();
      } catch (error) {
        // What was sent and not confirmed is sent again, from the place that was saved.
        this.place = undefined;
        pauseMs = FAILED_MS;
        log.debug({ warehouse: store.warehouse.name, error: messageOf(error) }, 'events could not be announced; trying again');
      }
      if (pauseMs > 0) await sleep(clock, pauseMs, this.stopping.signal).catch(() => undefined);
    }
  }

  /** One page; how long to wait for the next. */
  private async turn(): Promise<number> {
    const { store } = this.options;
    const { channel } = this;
    if (!channel) return IDLE_MS;
    if (!(await this.holdLease())) {
      this.place = undefined;
      return NOT_MINE_MS;
    }
    this.place ??= await store.outbox.readPlace(RELAY);
    const page = await store.outbox.readOutbox(this.place, { limit: PAGE, spanMs: this.spanMs });
    await this.announce(channel, page);
    await this.goOn(page);
    return page.isCaughtUp ? IDLE_MS : 0;
  }

  private async holdLease(): Promise<boolean> {
    const { store, holder, clock } = this.options;
    const now = clock.monotonic();
    if (now < this.leaseUntil - EXTEND_BEFORE_MS) return true;
    const lease = await store.peers.takeLease({ name: LEASE, holder, ttlMs: LEASE_TTL_MS, detail: null });
    this.leaseUntil = lease.holder === holder ? now + LEASE_TTL_MS : Number.NEGATIVE_INFINITY;
    return lease.holder === holder;
  }

  private async announce(channel: ConfirmChannel, { events }: OutboxPage): Promise<void> {
    const { name } = this.options.store.warehouse;
    for (const told of events) {
      const event = toCloudEvent(told, name);
      channel.publish(EXCHANGE, routingKeyOf(told, name), Buffer.from(JSON.stringify(event)), {
        contentType: CLOUD_EVENT_TYPE,
        persistent: true,
        messageId: event.id,
        type: event.type,
      });
    }
    if (events.length > 0) await channel.waitForConfirms();
  }

  private async goOn({ events, next, isCaughtUp }: OutboxPage): Promise<void> {
    const { store, holder, clock } = this.options;
    this.place = next;
    if (events.length >= PAGE) this.spanMs = Math.max(MIN_SPAN_MS, this.spanMs / 2);
    else if (!isCaughtUp && events.length === 0) this.spanMs = Math.min(MAX_SPAN_MS, this.spanMs * 2);
    if (events.length === 0 && clock.monotonic() - this.savedAt < SAVE_IDLE_EVERY_MS) return;
    this.savedAt = clock.monotonic();
    if (await store.outbox.savePlace(RELAY, next, { name: LEASE, holder })) return;
    // Somebody else has the lease by now, and goes on from what was saved before.
    this.leaseUntil = Number.NEGATIVE_INFINITY;
    this.place = undefined;
  }
}
