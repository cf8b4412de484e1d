import { randomUUID } from 'node:crypto';
import { type ChannelModel, type ConfirmChannel, type ConsumeMessage, connect, type RecoveringChannelModel } from 'amqplib';
import { Agent, request } from 'undici';
import { openTestBroker, type TestBroker } from '#test/rabbitmq.ts';
import { waitUntil } from '#test/waiting.ts';
import { RealWarehouses } from '../support/warehouses.ts';

const NAMES = ['HCM', 'HN'];
const EXCHANGE = 'conveyor.orders';
const QUEUE = 'process_orders';
const DEAD_QUEUE = 'process_orders.dead';
const GIVE_UP_MS = 240_000;

export interface AnnouncementsOptions {
  orders: number;
  ordersPerSecond: number;
  brokerKills: number;
  gatewayKills: number;
  onPhase?: (phase: string) => void;
}

export interface AnnouncementsResult {
  orders: number;
  /** In the databases. */
  events: number;
  /** Told to the listener, each counted once; and how often one came again. */
  heard: number;
  heardAgain: number;
  violations: string[];
}

/** Every event of many orders reaches a listener, each order's in their order, whatever is killed meanwhile. */
export async function runAnnouncements(options: AnnouncementsOptions): Promise<AnnouncementsResult> {
  const { onPhase = () => undefined } = options;
  const broker = await openTestBroker();
  const warehouses = await openWith(broker);
  const listener = new Listener(broker.url);
  const agent = new Agent({ connections: 32 });
  try {
    await listener.open();
    onPhase('orders flow');
    const load = submitAll(warehouses.url, agent, options);
    for (let kill = 0; kill < Math.max(options.brokerKills, options.gatewayKills); kill += 1) {
      const share = (kill + 1) / (Math.max(options.brokerKills, options.gatewayKills) + 1);
      await waitUntil('the next part of the orders', () => load.accepted >= options.orders * share, GIVE_UP_MS);
      if (kill < options.brokerKills) {
        onPhase('the broker is killed');
        await broker.kill();
      }
      if (kill < options.gatewayKills) {
        onPhase('the gateway, which announces, is killed');
        await warehouses.killGateway();
        await warehouses.startGateway();
      }
      if (kill < options.brokerKills) await broker.start();
    }
    await load.done;
    onPhase('waiting for the last announcements');
    await waitUntil('every order to end', async () => (await countOf(warehouses, OPEN)) === 0, GIVE_UP_MS);
    const events = await countOf(warehouses, 'select count(*)::int as n from order_history');
    await waitUntil('every event to be heard', () => listener.heard >= events, GIVE_UP_MS).catch(() => undefined);
    const orders = await countOf(warehouses, 'select count(*)::int as n from orders');
    const violations = [...warehouses.faults, ...listener.violations(events)];
    if (orders !== options.orders) violations.push(`I1 ${orders} orders are stored, ${options.orders} were accepted`);
    return { orders, events, heard: listener.heard, heardAgain: listener.heardAgain, violations };
  } finally {
    await Promise.allSettled([agent.close(), listener.close()]);
    await warehouses.close();
    await broker.close();
  }
}

const OPEN = `select count(*)::int as n from orders where state not in ('completed', 'failed', 'cancelled')`;

function openWith(broker: TestBroker): Promise<RealWarehouses> {
  return RealWarehouses.open({ names: NAMES, nodesEach: 1, slots: 100, stepMs: 50, gatewayEnv: { CONVEYOR_AMQP_URL: broker.url } });
}

async function countOf(warehouses: RealWarehouses, text: string): Promise<number> {
  const counts = await warehouses.eachDatabase(async (client) => (await client.query<{ n: number }>(text)).rows[0]?.n ?? 0);
  return counts.reduce((sum, count) => sum + count, 0);
}

/** Writes down which versions of each order came, in the order they came. */
class Listener {
  heardAgain = 0;
  private readonly url: string;
  private readonly versions = new Map<string, number[]>();
  private count = 0;
  private readonly odd: string[] = [];
  private model: RecoveringChannelModel | undefined;

  constructor(url: string) {
    this.url = url;
  }

  get heard(): number {
    return this.count;
  }

  async open(): Promise<void> {
    this.model = await connect(this.url, {
      recovery: {
        ...{ initialDelay: 100, maxDelay: 1_000 },
        setup: async (connected: ChannelModel) => {
          const channel = await connected.createChannel();
          channel.on('error', () => undefined);
          await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
          await channel.assertQueue('listener', { durable: true });
          await channel.bindQueue('listener', EXCHANGE, 'order.#');
          await channel.prefetch(500);
          await channel.consume('listener', (message) => {
            if (!message) return;
            this.hear(message);
            channel.ack(message);
          });
        },
      },
    });
    this.model.on('error', () => undefined);
  }

  async close(): Promise<void> {
    await this.model?.close();
  }

  violations(events: number): string[] {
    const broken = [...this.versions].flatMap(([orderId, versions]) => {
      const isGapless = versions.every((version, index) => version === index + 1);
      return isGapless ? [] : [`I13 the events of ${orderId} were heard in the order ${versions.join(', ')}`];
    });
    return [...this.odd, ...broken, ...(this.count === events ? [] : [`I13 ${this.count} of ${events} events were heard`])];
  }

  private hear({ content, fields, properties }: ConsumeMessage): void {
    const event = JSON.parse(content.toString()) as {
      id: string;
      subject: string;
      type: string;
      data: { version: number; warehouse: string; kind: string };
    };
    if (
      fields.routingKey !== `order.${event.data.kind}.${event.data.warehouse}` ||
      properties.contentType !== 'application/cloudevents+json'
    )
      this.odd.push(`the event ${event.id} came as ${fields.routingKey}, ${String(properties.contentType)}`);
    const known = this.versions.get(event.subject) ?? [];
    if (known.includes(event.data.version)) {
      this.heardAgain += 1;
      return;
    }
    known.push(event.data.version);
    this.versions.set(event.subject, known);
    this.count += 1;
  }
}

function submitAll(
  url: string,
  agent: Agent,
  { orders, ordersPerSecond }: AnnouncementsOptions,
): { readonly accepted: number; done: Promise<void> } {
  let accepted = 0;
  const place = async (index: number): Promise<void> => {
    const body = JSON.stringify({ region: NAMES[index % NAMES.length], tracking_id: randomUUID(), quantity: 1 + (index % 9) });
    for (;;) {
      const answer = await request(`${url}/orders`, {
        ...{ dispatcher: agent, method: 'POST', headers: { authorization: 'user', 'content-type': 'application/json' }, body },
      }).catch(() => undefined);
      await answer?.body.dump();
      if (answer?.statusCode === 202 || answer?.statusCode === 200) break;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    accepted += 1;
  };
  const run = async (): Promise<void> => {
    const startedAt = performance.now();
    const open: Promise<void>[] = [];
    while (open.length < orders) {
      const due = Math.min(orders, Math.ceil(((performance.now() - startedAt) / 1_000) * ordersPerSecond));
      while (open.length < due) open.push(place(open.length));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await Promise.all(open);
  };
  return {
    get accepted() {
      return accepted;
    },
    done: run(),
  };
}

export interface IntakeOptions {
  messages: number;
  gatewayKills: number;
  onPhase?: (phase: string) => void;
}

export interface IntakeResult {
  valid: number;
  malformed: number;
  duplicates: number;
  stored: number;
  dead: number;
  violations: string[];
}

/** Orders that come as messages: exactly the valid, distinct ones exist, and the others lie among the dead with their reasons. */
export async function runIntake({ messages, gatewayKills, onPhase = () => undefined }: IntakeOptions): Promise<IntakeResult> {
  const broker = await openTestBroker();
  const warehouses = await openWith(broker);
  const model = await connect(broker.url);
  try {
    const channel = await model.createConfirmChannel();
    await channel.assertQueue(QUEUE, { durable: true });
    const sent = { valid: 0, malformed: 0, duplicates: 0 };
    for (let kill = 0; kill <= gatewayKills; kill += 1) {
      onPhase(`part ${kill + 1} of the messages`);
      await sendPart(channel, Math.floor(messages / (gatewayKills + 1)), sent);
      if (kill === gatewayKills) break;
      const before = await countOf(warehouses, STORED);
      await waitUntil('some of them to be stored', async () => (await countOf(warehouses, STORED)) > before, GIVE_UP_MS);
      onPhase('the gateway, which takes them in, is killed');
      await warehouses.killGateway();
      await warehouses.startGateway();
    }
    onPhase('waiting for the last ones');
    await waitUntil(
      'the queue to be empty',
      async () => (await channel.checkQueue(QUEUE)).messageCount === 0 && (await countOf(warehouses, STORED)) >= sent.valid,
      GIVE_UP_MS,
    );
    const dead = await readDead(channel, sent.malformed);
    const stored = await countOf(warehouses, STORED);
    const violations = [...warehouses.faults, ...dead.violations];
    if (stored !== sent.valid) violations.push(`I1 I2 ${stored} orders are stored, ${sent.valid} valid distinct messages were sent`);
    const distinct = await countOf(warehouses, `select count(distinct content ->> 'symbol')::int as n from orders`);
    if (distinct !== stored) violations.push(`I2 ${stored} orders have ${distinct} different symbols`);
    if (dead.ids.size !== sent.malformed) violations.push(`${dead.ids.size} dead messages of ${sent.malformed} malformed ones`);
    return { ...sent, stored, dead: dead.ids.size, violations };
  } finally {
    await model.close().catch(() => undefined);
    await warehouses.close();
    await broker.close();
  }
}

const STORED = `select count(*)::int as n from orders where customer_id = 'amqp'`;
const MALFORMED = [
  '{"quantity": 1',
  '[1, 2]',
  '{"quantity": "three"}',
  '{"unknown": true}',
  '\u0000',
  '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c',
];

/** Each order has a symbol of its own; one in 50 messages is none, one in 20 comes twice. */
async function sendPart(
  channel: ConfirmChannel,
  count: number,
  sent: { valid: number; malformed: number; duplicates: number },
): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const messageId = randomUUID();
    const number = sent.valid + sent.malformed + 1;
    const isMalformed = number % 50 === 0;
    const text = isMalformed
      ? (MALFORMED[(number / 50) % MALFORMED.length] as string)
      : JSON.stringify({ symbol: `m${number}`, quantity: 1 + (number % 9), region: NAMES[number % 2] });
    channel.sendToQueue(QUEUE, Buffer.from(text), { persistent: true, messageId });
    if (isMalformed) {
      sent.malformed += 1;
      continue;
    }
    sent.valid += 1;
    if (number % 20 !== 1) continue;
    channel.sendToQueue(QUEUE, Buffer.from(text), { persistent: true, messageId });
    sent.duplicates += 1;
  }
  await channel.waitForConfirms();
}

async function readDead(channel: ConfirmChannel, expected: number): Promise<{ ids: Set<string>; violations: string[] }> {
  const ids = new Set<string>();
  const violations: string[] = [];
  await waitUntil(
    'all dead messages to be there',
    async () => (await channel.checkQueue(DEAD_QUEUE)).messageCount >= expected,
    30_000,
  ).catch(() => undefined);
  for (let message = await channel.get(DEAD_QUEUE); message; message = await channel.get(DEAD_QUEUE)) {
    ids.add(String(message.properties.messageId));
    const { 'x-reason': reason, 'x-detail': detail } = (message.properties.headers ?? {}) as Record<string, unknown>;
    if (typeof reason !== 'string' || typeof detail !== 'string' || detail === '') violations.push('a dead message has no reason');
    channel.ack(message);
  }
  return { ids, violations };
}
