import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';
import type { ConfigFile } from '#config/define.ts';
import type { SettingName, Settings } from '#config/settings.ts';
import type { WarehouseAddress } from '#config/warehouses.ts';
import { messageOf } from '#domain/errors.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import type { JoinOffer } from '#gateway/routes/cluster-join.ts';
import type { RoutingSettings } from '#gateway/warehouses/routing.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { type OpenWarehouse, openWarehouses } from './databases.ts';
import { expectedPrices } from './expected-price.ts';
import { CommandFault, EXIT } from './faults.ts';
import { explainListenFault, isLoopback } from './port.ts';
import type { Service } from './service.ts';
import type { Surroundings } from './surroundings.ts';

/** The settings of each part; a command that has the part has its flags. */
export const WORKFLOW_SETTINGS = ['stepDurationMs', 'failureRate', 'workflow'] as const satisfies SettingName[];
export const GATEWAY_SETTINGS = [
  'port',
  'host',
  'maxWaitingOrders',
  'fallback',
  'rebalanceAt',
  'defaultRegion',
  'warehouseWorkflow',
  'amqpUrl',
  'webhookTargets',
] as const satisfies SettingName[];
export const NODE_SETTINGS = [
  'slots',
  'nodeName',
  'leaseTtlMs',
  'heartbeatMs',
  'leaseMarginMs',
  'liveness',
  'gateLimitMs',
  'retentionMs',
  'opsPort',
  'opsHost',
  'drainTimeoutMs',
] as const satisfies SettingName[];
export const DATABASE_SETTINGS = ['warehouses', 'embedded', 'dataDir'] as const satisfies SettingName[];
export const LOG_SETTINGS = ['logLevel', 'logFormat'] as const satisfies SettingName[];

export type WorkflowSettings = Pick<Settings, (typeof WORKFLOW_SETTINGS)[number]>;
export type GatewaySettings = Pick<Settings, (typeof GATEWAY_SETTINGS)[number]>;
export type LogSettings = Pick<Settings, (typeof LOG_SETTINGS)[number]>;
export type NodeSettings = Pick<Settings, (typeof NODE_SETTINGS)[number]>;

/** The default workflow and those of the configuration file; the one new orders begin with must be among them. */
export function buildRegistry(settings: WorkflowSettings, file: ConfigFile | undefined, { clock }: Surroundings): WorkflowRegistry {
  const { stepDurationMs, failureRate, workflow } = settings;
  try {
    const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs, failureRate, clock }), ...(file?.workflows ?? [])]);
    registry.latest(workflow);
    return registry;
  } catch (error) {
    throw new CommandFault(EXIT.usage, messageOf(error), 'Correct workflows in conveyor.config.ts, or --workflow.');
  }
}

/**
 * Opens the warehouses and makes the workflows known to each, which refuses a version whose steps have changed. The service
 * closes them after everything that uses them.
 */
export async function openOwned(
  service: Service,
  addresses: readonly WarehouseAddress[],
  settings: { liveness?: 'on' | 'off' },
  registry: WorkflowRegistry,
  surroundings: Surroundings,
): Promise<OpenWarehouse[]> {
  const identities = registry.all().map(({ name, version, steps }) => ({ name, version, stepNames: steps.map((step) => step.name) }));
  const opened = await openWarehouses(addresses, surroundings, {
    ...settings,
    prepare: (store) => store.registerWorkflows(identities),
    signal: service.signal,
  });
  service.own({
    what: 'the database connections',
    close: async () => {
      await Promise.all(opened.map(({ store }) => store.close()));
    },
  });
  return opened;
}

export interface GatewayParts {
  warehouses: readonly OpenWarehouse[];
  registry: WorkflowRegistry;
  serviceId: string;
  serviceName: string;
  workflowName: string;
  developmentTokens: boolean;
  addresses: readonly WarehouseAddress[];
  /** The databases were started here, and others reach them under this machine's name. */
  databasesAreHere: boolean;
}

/**
 * Whether the two development tokens exist: on loopback, as long as no token was made. A gateway that others can reach
 * needs real ones.
 */
export async function decideDevelopmentTokens(host: string, warehouses: readonly OpenWarehouse[]): Promise<boolean> {
  const answering = warehouses.filter(({ unready }) => unready() === undefined);
  const stored = await Promise.all(answering.map(({ store }) => store.tokens.list()));
  // A token to join with opens nothing else, so it does not count.
  if (stored.flat().some((token) => token.revokedAt === null && token.role !== 'join')) return false;
  if (isLoopback(host)) return true;
  throw new CommandFault(
    EXIT.usage,
    `--host is "${host}", which others can reach, but no access token exists`,
    'Make one first: conveyor token create --role operator --name admin (or leave --host at 127.0.0.1).',
  );
}

/** Builds the gateway and listens; the service stops it first, so that nothing new comes in. */
export async function startGateway(
  service: Service,
  settings: GatewaySettings & WorkflowSettings,
  parts: GatewayParts,
  surroundings: Surroundings,
): Promise<{ port: number }> {
  const { buildGateway } = await import('#gateway/app.ts');
  const { warehouses, addresses, databasesAreHere, ...others } = parts;
  const routing = routingOf(
    settings,
    warehouses.map(({ name }) => name),
  );
  const workflowsByWarehouse = workflowsOf(settings, parts);
  const byStore = new Map(warehouses.map((warehouse) => [warehouse.store, warehouse]));
  const join = await offerToJoin(settings, addresses, databasesAreHere);
  const [{ findUrlFault }, { openWebhooks }] = await Promise.all([import('#webhooks/addresses.ts'), import('#webhooks/open.ts')]);
  const allowInner = settings.webhookTargets === 'all';
  const app = await buildGateway({
    webhookUrlFault: (url: string) => findUrlFault(url, allowInner),
    ...{ warehouses: warehouses.map(({ store }) => store), readiness: (store: Store) => byStore.get(store)?.unready() },
    ...{
      ...others,
      ...surroundings,
      expectedPriceOf: expectedPrices(parts.registry),
      join,
      routing,
      workflowsByWarehouse,
      maxWaitingOrders: settings.maxWaitingOrders,
      consoleFolder: findConsole(),
    },
  });
  service.own({ what: 'the gateway', close: () => closeGateway(app) });
  await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
    throw explainListenFault(error, settings.host, settings.port);
  });
  const { clock, log, version } = surroundings;
  const webhooks = openWebhooks({
    ...{ stores: warehouses.map(({ store }) => store), holder: parts.serviceId, clock, log, version, allowInner },
    disable: (webhook, because) => app.services.disableWebhook(webhook, because),
  });
  service.own({ what: 'the webhooks', close: () => webhooks.close() });
  if (settings.amqpUrl !== undefined) await startMessages(service, settings.amqpUrl, app, parts, surroundings);
  const address = app.server.address();
  return { port: typeof address === 'object' && address ? address.port : settings.port };
}

/** Where the console was built; `undefined`: it was not. */
export function findConsole(): string | undefined {
  const folder = fileURLToPath(new URL('../../console/dist', import.meta.url));
  return existsSync(join(folder, 'index.html')) ? folder : undefined;
}

/** Beside the gateway, and closed before it: what a message brings goes the same way as a request. */
async function startMessages(
  service: Service,
  url: string,
  app: FastifyInstance,
  { warehouses, serviceId }: GatewayParts,
  { clock, log }: Surroundings,
): Promise<void> {
  const { openMessages } = await import('#messages/open.ts');
  const stores = warehouses.map(({ store }) => store);
  const messages = await openMessages({ url, stores, target: app.services, holder: serviceId, clock, log });
  service.own({ what: 'the announcements', close: () => messages.close() });
}

/** Names in the settings must be those of warehouses: a misspelt one would go unnoticed until it is needed. */
export function routingOf({ fallback, rebalanceAt, defaultRegion }: GatewaySettings, names: readonly string[]): RoutingSettings {
  const mentioned = [...(fallback ?? [])].flatMap(([name, others]) => [name, ...others]);
  for (const [name, others] of fallback ?? []) {
    if (others.includes(name) || new Set(others).size < others.length)
      throw new CommandFault(EXIT.usage, `--fallback for ${name} is ${others.join(',')}; allowed are other warehouses, each once`);
  }
  refuseUnknown('--fallback', mentioned, names);
  refuseUnknown('--default-region', defaultRegion === undefined ? [] : [defaultRegion], names);
  return { fallback: fallback ?? new Map(), rebalanceAt, defaultRegion };
}

function workflowsOf({ warehouseWorkflow }: GatewaySettings, { registry, warehouses }: GatewayParts): ReadonlyMap<string, string> {
  const pairs = [...(warehouseWorkflow ?? [])];
  const names = warehouses.map(({ name }) => name);
  refuseUnknown(
    '--warehouse-workflow',
    pairs.map(([name]) => name),
    names,
  );
  for (const [name, workflows] of pairs) {
    const [workflow = ''] = workflows;
    if (workflows.length !== 1)
      throw new CommandFault(EXIT.usage, `--warehouse-workflow names ${workflows.length} workflows for ${name}; allowed is one`);
    try {
      registry.latest(workflow);
    } catch (error) {
      throw new CommandFault(EXIT.usage, `--warehouse-workflow for ${name}: ${messageOf(error)}`);
    }
  }
  return new Map(pairs.map(([name, [workflow = '']]) => [name, workflow]));
}

function refuseUnknown(flag: string, mentioned: readonly string[], names: readonly string[]): void {
  const unknown = mentioned.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new CommandFault(EXIT.usage, `${flag} names the warehouse ${JSON.stringify(unknown)}; allowed are ${names.join(', ')}`);
}

/** What nodes that join through this gateway get. */
async function offerToJoin(
  { host, stepDurationMs, failureRate }: GatewaySettings & WorkflowSettings,
  addresses: readonly WarehouseAddress[],
  databasesAreHere: boolean,
): Promise<JoinOffer> {
  const { readSchemaVersion } = await import('#store/postgres/migrate.ts');
  return {
    databases: new Map(addresses.map(({ name, url }) => [name, url])),
    databasesAreHere,
    needsToken: !isLoopback(host),
    schema: await readSchemaVersion(),
    simulation: { stepDurationMs, failureRate },
  };
}

async function closeGateway(app: FastifyInstance): Promise<void> {
  app.server.closeIdleConnections();
  await app.close();
}
