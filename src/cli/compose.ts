import type { FastifyInstance } from 'fastify';
import type { ConfigFile } from '#config/define.ts';
import type { SettingName, Settings } from '#config/settings.ts';
import type { WarehouseAddress } from '#config/warehouses.ts';
import { messageOf } from '#domain/errors.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import type { JoinOffer } from '#gateway/routes/cluster-join.ts';
import { orderWorkflow } from '#workflows/order.ts';
import { CommandFault, EXIT } from './faults.ts';
import { explainListenFault, isLoopback } from './port.ts';
import type { Service } from './service.ts';
import type { Surroundings } from './surroundings.ts';

/** The settings of each part; a command that has the part has its flags. */
export const WORKFLOW_SETTINGS = ['stepDurationMs', 'failureRate', 'workflow'] as const satisfies SettingName[];
export const GATEWAY_SETTINGS = ['port', 'host', 'maxWaitingOrders'] as const satisfies SettingName[];
export const NODE_SETTINGS = [
  'slots',
  'nodeName',
  'leaseTtlMs',
  'heartbeatMs',
  'leaseMarginMs',
  'liveness',
  'opsPort',
  'opsHost',
  'drainTimeoutMs',
] as const satisfies SettingName[];
export const DATABASE_SETTINGS = ['warehouses', 'dataDir'] as const satisfies SettingName[];
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

/** Makes the workflows known to every database, which refuses a version whose steps have changed. */
async function registerWorkflows(stores: readonly Store[], registry: WorkflowRegistry): Promise<void> {
  const identities = registry.all().map(({ name, version, steps }) => ({ name, version, stepNames: steps.map((step) => step.name) }));
  await Promise.all(stores.map((store) => store.registerWorkflows(identities)));
}

/** Puts the stores into the service's charge: they close after everything that uses them. */
export function ownStores(service: Service, stores: readonly Store[]): void {
  service.own({
    what: 'the database connections',
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
    },
  });
}

export interface GatewayParts {
  stores: Store[];
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
export async function decideDevelopmentTokens(host: string, stores: readonly Store[]): Promise<boolean> {
  const stored = await Promise.all(stores.map((store) => store.tokens.list()));
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
  const { stores, addresses, databasesAreHere, ...others } = parts;
  await registerWorkflows(stores, parts.registry);
  const join = await offerToJoin(settings, addresses, databasesAreHere);
  const app = await buildGateway({ warehouses: stores, ...others, join, maxWaitingOrders: settings.maxWaitingOrders, ...surroundings });
  service.own({ what: 'the gateway', close: () => closeGateway(app) });
  await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
    throw explainListenFault(error, settings.host, settings.port);
  });
  const address = app.server.address();
  return { port: typeof address === 'object' && address ? address.port : settings.port };
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
