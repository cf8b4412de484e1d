import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import { ConveyorError, ERROR_CATALOGUE, messageOf } from '#domain/errors.ts';
import type { OrderRecord } from '#domain/order.ts';
import { isEnded } from '#domain/order-state.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { announce, EXCHANGE } from './announce.ts';
import type { BrokerUser } from './broker.ts';

export const QUEUE = 'process_orders';
export const DEAD_QUEUE = 'process_orders.dead';
/** Whose orders they are, where a message does not say in its header `customer`. */
export const AMQP_CUSTOMER = 'amqp';

/** What the messages are handed to: the same that the HTTP routes use. */
export interface IntakeTarget {
  /** Checks the content like a request's body and stores the order durably; rejects with the catalogue's errors. */
  submit(order: { customerId: string; content: unknown; key: string | undefined }): Promise<{ orderId: string }>;
  /** By our id, or by the customer's own. */
  find(id: string, customerId: string): Promise<{ record: OrderRecord; warehouse: string; stepName: string }>;
}

export interface IntakeOptions {
  target: IntakeTarget;
  clock: Clock;
  log: Log;
}

/** Messages in this process's hands: what is not answered yet bounds its memory. */
const PREFETCH = 100;
const AGAIN_MS = 500;
const MAX_MESSAGE_BYTES = 256 * 1024;
const CUSTOMER = /^[A-Za-z0-9._@-]{1,64}$/;
const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/**
 * Orders that come as messages. A message is acknowledged when its order is durable, or when it lies in the queue of dead messages
 * with the reason; so whatever is killed, none is lost. Its id (or the tracking id in it) makes a second delivery the same order.
 */
export class MessageIntake implements BrokerUser {
  private readonly options: IntakeOptions;
  private channel: ConfirmChannel | undefined;

  constructor(options: IntakeOptions) {
    this.options = options;
  }

  async onConnect(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel();
    channel.on('error', (error) => this.options.log.warn({ error: messageOf(error) }, 'the channel for incoming orders broke'));
    await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
    await channel.assertQueue(DEAD_QUEUE, { durable: true });
    await channel.assertQueue(QUEUE, { durable: true });
    await channel.prefetch(PREFETCH);
    this.channel = channel;
    await channel.consume(QUEUE, (message) => {
      if (message) void this.take(channel, message);
    });
  }

  onDisconnect(): void {
    this.channel = undefined;
  }

  private async take(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const { clock, log } = this.options;
    try {
      await this.work(channel, message);
      this.settle(channel, () => channel.ack(message));
    } catch (error) {
      if (error instanceof ConveyorError && !ERROR_CATALOGUE[error.code].retry) {
        await this.bury(channel, message, error).catch((fault: unknown) =>
          log.warn({ error: messageOf(fault) }, 'a dead message could not be put away; it comes again'),
        );
        return;
      }
      log.debug({ error: messageOf(error) }, 'a message could not be taken in; it comes again');
      await sleep(clock, AGAIN_MS);
      this.settle(channel, () => channel.nack(message, false, true));
    }
  }

  /** A channel that broke meanwhile delivers the message again. */
  private settle(channel: Channel, call: () => void): void {
    if (this.channel === channel) call();
  }

  private async work(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    const { target } = this.options;
    const customerId = customerOf(message);
    const content = contentOf(message);
    if (typeof content === 'string') return this.verify(channel, content, customerId);
    const key: unknown = message.properties.messageId;
    if (key !== undefined && (typeof key !== 'string' || !VISIBLE_ASCII.test(key)))
      throw new ConveyorError('invalid-request', 'the message id is not 1 to 255 visible ASCII characters');
    await target.submit({ customerId, content, key });
  }

  /** A bare id: the order has to exist. One that has ended is announced again, for whoever missed it. */
  private async verify(channel: ConfirmChannel, id: string, customerId: string): Promise<void> {
    const { record, warehouse, stepName } = await this.options.target.find(id, customerId);
    const event = record.events.at(-1);
    if (!event || !isEnded(record.order.state)) return;
    await announce(channel, [{ event, content: record.order.content, stepName }], warehouse);
  }

  private async bury(channel: ConfirmChannel, message: ConsumeMessage, error: ConveyorError): Promise<void> {
    const { properties, content } = message;
    const headers = { ...properties.headers, 'x-reason': error.code, 'x-detail': error.message };
    channel.sendToQueue(DEAD_QUEUE, content, {
      ...{ persistent: true, headers },
      ...(properties.messageId === undefined ? {} : { messageId: String(properties.messageId) }),
      ...(properties.contentType === undefined ? {} : { contentType: String(properties.contentType) }),
    });
    await channel.waitForConfirms();
    this.options.log.warn({ reason: error.message }, 'a message is no order; it lies in the queue of dead messages');
    this.settle(channel, () => channel.ack(message));
  }
}

function customerOf({ properties }: ConsumeMessage): string {
  const named: unknown = properties.headers?.['customer'];
  if (named === undefined) return AMQP_CUSTOMER;
  if (typeof named === 'string' && CUSTOMER.test(named)) return named;
  throw new ConveyorError('invalid-request', 'the header `customer` is no name of a customer: 1 to 64 of A-Z a-z 0-9 . _ @ -');
}

/** An order's content, or the bare id of one that exists. */
function contentOf({ content }: ConsumeMessage): object | string {
  if (content.length > MAX_MESSAGE_BYTES) throw new ConveyorError('body-too-large', `the message has ${content.length} bytes`);
  const text = decode(content).trim();
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text)) return text;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'string') return parsed;
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (error) {
    throw new ConveyorError('malformed-body', `the message is no JSON: ${messageOf(error)}`);
  }
  throw new ConveyorError('invalid-request', 'the message is neither an order (a JSON object) nor the id of one');
}

function decode(content: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new ConveyorError('malformed-body', 'the message is not UTF-8');
  }
}
