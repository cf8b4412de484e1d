import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { buildGateway, type GatewayOptions } from '#gateway/app.ts';
import { type RunningNode, startNode } from '#node/node.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { expectedPrices } from '../../src/cli/expected-price.ts';
import { type CuttableWay, openCuttableWay } from './cuttable.ts';
import { createEmptyDatabase, type TestDatabase } from './database.ts';
import { ORDER_WORKFLOW } from './orders.ts';
import { waitUntil } from './waiting.ts';

/** A lease short enough for tests that wait for its end. */
const LEASE = { ttlMs: 900, heartbeatMs: 250, marginMs: 200 };
/** For those that need all nodes alive: nodes and gateways share a process, which may be busy for longer than the other. */
const LONG_LEASE = { ttlMs: 20_000, heartbeatMs: 250, marginMs: 2_000 };

/** One warehouse of a test: a database of its own, and a way to it that can be cut. */
export interface TestWarehouse {
  name: string;
  way: CuttableWay;
  /** Through the way: what a gateway or a node uses. */
  open(): Promise<Store>;
  /** Straight to the database, whatever happens to the way. */
  store: Store;
  client: pg.Client;
  close(): Promise<void>;
}

export async function openTestWarehouse(name: string): Promise<TestWarehouse> {
  const database: TestDatabase = await createEmptyDatabase();
  await migrate(database.url, name, silentLog);
  const way = await openCuttableWay(database.url);
  const store = await openPostgresStore({ url: database.url, log: silentLog, clock: systemClock });
  await store.registerWorkflows([ORDER_WORKFLOW]);
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  const opened: Store[] = [];
  return {
    ...{ name, way, store, client },
    async open() {
      const another = await openPostgresStore({ url: way.url, log: silentLog, clock: systemClock });
      opened.push(another);
      return another;
    },
    async close() {
      await Promise.all([...opened, store].map((one) => one.close()));
      await client.end();
      await way.close();
      await database.drop();
    },
  };
}

export interface TestAnswer {
  status: number;
  body: Record<string, unknown> & { order_id: string };
}

/** A cluster within the test's process: real databases, gateways that really listen, nodes that really work. */
export class TestCluster {
  readonly warehouses: readonly TestWarehouse[];
  private readonly closers: (() => Promise<unknown>)[] = [];

  private constructor(warehouses: readonly TestWarehouse[]) {
    this.warehouses = warehouses;
  }

  static async open(...names: string[]): Promise<TestCluster> {
    return new TestCluster(await Promise.all(names.map(openTestWarehouse)));
  }

  of(name: string): TestWarehouse {
    const found = this.warehouses.find((warehouse) => warehouse.name === name);
    if (!found) throw new Error(`the test has no warehouse ${name}`);
    return found;
  }

  /** One more gateway over these warehouses. */
  async gateway(changes: Partial<GatewayOptions> = {}, warehouses = this.warehouses): Promise<TestGateway> {
    const stores = await Promise.all(warehouses.map((warehouse) => warehouse.open()));
    const app = await buildGateway({
      ...{ warehouses: stores, registry: registryOf(0), workflowName: 'order', clock: systemClock, log: silentLog, version: 'test' },
      ...{ serviceId: randomUUID(), serviceName: 'conveyor', developmentTokens: true, maxWaitingOrders: 10_000 },
      expectedPriceOf: expectedPrices(registryOf(0)),
      ...changes,
    });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    this.closers.push(() => app.close());
    return new TestGateway(app, url);
  }

  /** A gateway that has found a node at work in each of them: orders go where they belong. */
  async gatewayWithNodes(changes: Partial<GatewayOptions> = {}, nodes: { straight?: boolean } = {}): Promise<TestGateway> {
    await this.nodes(nodes);
    const gateway = await this.gateway(changes);
    for (const { name } of this.warehouses) await gateway.until(name, 'OK');
    return gateway;
  }

  /** One more node in each warehouse, which stays alive however busy the machine is. */
  nodes(options: { slots?: number; stepMs?: number; straight?: boolean } = {}): Promise<RunningNode[]> {
    return Promise.all(this.warehouses.map(({ name }) => this.node(name, { lease: LONG_LEASE, ...options })));
  }

  /** One more node of a warehouse, whose steps take this long; a straight one works on while the way is cut. */
  async node(
    name: string,
    options: { slots?: number; stepMs?: number; failureRate?: number; gateLimitMs?: number; lease?: typeof LEASE; straight?: boolean } = {},
  ): Promise<RunningNode> {
    const { slots = 50, stepMs = 0, failureRate = 0, straight = false, ...rest } = options;
    const warehouse = this.of(name);
    const node = await startNode({
      ...{
        store: straight ? warehouse.store : await warehouse.open(),
        registry: registryOf(stepMs, failureRate),
        slots,
        nodeId: randomUUID(),
        version: 'test',
      },
      ...{ nodeName: `${name}-${this.closers.length}`, log: silentLog, lease: LEASE, ...rest },
    });
    this.closers.push(() => node.stop({ graceMs: 0 }));
    return node;
  }

  async close(): Promise<void> {
    for (const warehouse of this.warehouses) warehouse.way.restore();
    for (const close of this.closers.splice(0).reverse()) await close();
    await Promise.all(this.warehouses.map((warehouse) => warehouse.close()));
  }
}

function registryOf(stepDurationMs: number, failureRate = 0): WorkflowRegistry {
  return new WorkflowRegistry([orderWorkflow({ stepDurationMs, failureRate, clock: systemClock })]);
}

export class TestGateway {
  readonly app: FastifyInstance;
  readonly url: string;

  constructor(app: FastifyInstance, url: string) {
    this.app = app;
    this.url = url;
  }

  async ask(method: string, path: string, options: { token?: string; body?: object; key?: string } = {}): Promise<TestAnswer> {
    const { token = 'operator', body, key } = options;
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: token,
        ...(body ? { 'content-type': 'application/json' } : {}),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, body: (await response.json()) as TestAnswer['body'] };
  }

  submit(body: object = {}, key?: string): Promise<TestAnswer> {
    return this.ask('POST', '/orders', { token: 'user', body, ...(key === undefined ? {} : { key }) });
  }

  /** How a warehouse is, as of its latest look. */
  async statusOf(name: string): Promise<string | undefined> {
    const { body } = await this.ask('GET', '/health');
    return (body['warehouses'] as { name: string; status: string }[]).find((one) => one.name === name)?.status;
  }

  async until(name: string, status: string): Promise<void> {
    await waitUntil(`${name} to be ${status}`, async () => (await this.statusOf(name)) === status);
  }
}
