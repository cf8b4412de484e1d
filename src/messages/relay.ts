import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { OutboxEvent } from '#engine/outbox.ts';
import { OutboxReader } from '#engine/outbox-reader.ts';
import type { Store } from '#engine/store.ts';
import { announce, EXCHANGE } from './announce.ts';
import type { BrokerUser } from './broker.ts';

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
const IDLE_MS = 100;
const RETRY_MS = 500;

/**
 * Announces what happens in one warehouse: events in the order of the outbox, confirmed by the broker before its place is saved. At
 * least once, each order's events in their order: after a crash it goes on where it last saved, with events it may have sent.
 */
export class Relay implements BrokerUser {
  private readonly options: RelayOptions;
  private readonly reader: OutboxReader;
  private channel: ConfirmChannel | undefined;

  constructor(options: RelayOptions) {
    this.options = options;
    const { store, holder, clock, log } = options;
    this.reader = new OutboxReader({
      ...{ store, name: RELAY, lease: { name: LEASE, holder }, clock, idleMs: IDLE_MS, retryMs: RETRY_MS },
      isWanted: () => this.channel !== undefined,
      handle: (events) => this.tell(events),
      onFailure: (error) =>
        log.debug({ warehouse: store.warehouse.name, error: messageOf(error) }, 'events could not be announced; trying again'),
    });
  }

  start(): void {
    this.reader.start();
  }

  async stop(): Promise<void> {
    await this.reader.stop();
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

  private async tell(events: readonly OutboxEvent[]): Promise<void> {
    if (events.length === 0) return;
    const { channel } = this;
    if (!channel) throw new Error('the message broker is away');
    await announce(channel, events, this.options.store.warehouse.name);
  }
}
