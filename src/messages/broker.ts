import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import { messageOf } from '#domain/errors.ts';
import type { Log } from '#engine/log.ts';

/** Whoever has channels on the broker: they are made anew after every loss of the connection. */
export interface BrokerUser {
  onConnect(model: ChannelModel): Promise<void>;
  onDisconnect(): void;
}

const FIRST_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;

/** The connection to RabbitMQ, kept up until closed. While the broker is away, everything else goes on. */
export class Broker {
  private readonly url: string;
  private readonly users: readonly BrokerUser[];
  private readonly log: Log;
  private model: RecoveringChannelModel | undefined;
  private isUp = false;

  constructor(url: string, users: readonly BrokerUser[], log: Log) {
    this.url = url;
    this.users = users;
    this.log = log;
  }

  /** Does not wait for the broker. Rejects for an address that cannot be one. */
  async open(): Promise<void> {
    const { log } = this;
    const model = await connect(this.url, {
      recovery: {
        initialDelay: FIRST_DELAY_MS,
        maxDelay: MAX_DELAY_MS,
        maxRetries: Number.POSITIVE_INFINITY,
        waitForConnect: false,
        setup: async (connected: ChannelModel) => {
          for (const user of this.users) await user.onConnect(connected);
        },
      },
    });
    this.model = model;
    model.on('connect', () => {
      this.isUp = true;
      log.info({}, 'connected to the message broker');
    });
    model.on('disconnect', (error?: Error) => this.noteLoss(messageOf(error)));
    model.on('connect-failed', (error?: Error) => this.noteLoss(messageOf(error)));
    model.on('error', (error: Error) => log.debug({ error: messageOf(error) }, 'the connection to the message broker has an error'));
  }

  async close(): Promise<void> {
    await this.model?.close().catch(() => undefined);
  }

  private noteLoss(reason: string): void {
    for (const user of this.users) user.onDisconnect();
    if (this.isUp) this.log.warn({ reason }, 'the message broker is away; orders go on, announcements wait');
    else this.log.debug({ reason }, 'the message broker cannot be reached yet');
    this.isUp = false;
  }
}
