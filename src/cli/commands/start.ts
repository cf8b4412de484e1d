import { join, resolve } from 'node:path';
import { Command } from 'commander';
import type { ConfigFile } from '#config/define.ts';
import type { SettingName, Settings } from '#config/settings.ts';
import type { WarehouseAddress } from '#config/warehouses.ts';
import { systemClock } from '#engine/clock.ts';
import { renderBanner } from '../banner.ts';
import {
  buildRegistry,
  DATABASE_SETTINGS,
  decideDevelopmentTokens,
  GATEWAY_SETTINGS,
  LOG_SETTINGS,
  NODE_SETTINGS,
  openOwned,
  routingOf,
  startGateway,
  WORKFLOW_SETTINGS,
} from '../compose.ts';
import { findLeftOut } from '../databases.ts';
import { CommandFault, EXIT } from '../faults.ts';
import { deriveId, readOrCreateId } from '../identity.ts';
import { startNodes } from '../nodes.ts';
import { addExamples, addSettings, readSettings } from '../options.ts';
import { findPort, localUrl } from '../port.ts';
import { Service } from '../service.ts';
import { openSurroundings, type Surroundings } from '../surroundings.ts';

const NAMES = [...GATEWAY_SETTINGS, ...WORKFLOW_SETTINGS, ...NODE_SETTINGS, ...DATABASE_SETTINGS, ...LOG_SETTINGS] as const;
type StartSettings = Pick<Settings, (typeof NAMES)[number]>;

export function startCommand(): Command {
  const command = new Command('start').description(
    'Start everything on this machine: an embedded PostgreSQL for each warehouse, the gateway, and a node for each warehouse.',
  );
  addSettings(command, NAMES);
  addExamples(command, 'conveyor start', 'conveyor start --port 9090 --step-duration 200ms --failure-rate 0');
  return command.action(async () => {
    const { settings, file, given } = await readSettings(command, NAMES);
    process.exitCode = await Service.run(systemClock, (service) => start(service, { settings, file, given }));
  });
}

interface Asked {
  settings: StartSettings;
  file: ConfigFile | undefined;
  given: ReadonlySet<SettingName>;
}

async function start(service: Service, { settings, file, given }: Asked): Promise<void> {
  const surroundings = openSurroundings(settings);
  const registry = buildRegistry(settings, file, surroundings);
  if (settings.warehouses && given.has('embedded'))
    throw new CommandFault(EXIT.usage, '--embedded and --database (CONVEYOR_WAREHOUSES) are both given; allowed is one of them');
  routingOf(settings, settings.warehouses?.map(({ name }) => name) ?? settings.embedded);
  const port = settings.port === 0 ? await findPort(settings.host, 0) : settings.port;
  if (!settings.warehouses) await takeDataDir(service, settings, port);
  await findPort(settings.host, port);
  const addresses = settings.warehouses ?? (await startDatabases(service, settings, surroundings));
  const warehouses = await openOwned(service, addresses, settings, registry, surroundings);
  const developmentTokens = await decideDevelopmentTokens(settings.host, warehouses);
  const baseId = settings.warehouses ? deriveId(settings.nodeName) : await readOrCreateId(resolve(settings.dataDir));
  const nodes = await startNodes(service, settings, { warehouses, registry, baseId }, surroundings);
  const parts = {
    ...{ warehouses, registry, serviceId: baseId, serviceName: settings.nodeName, workflowName: settings.workflow, developmentTokens },
    ...{ addresses, databasesAreHere: !settings.warehouses },
  };
  await startGateway(service, { ...settings, port }, parts, surroundings);
  process.stdout.write(
    renderBanner({
      version: surroundings.version,
      host: settings.host,
      port,
      nodes,
      addresses,
      passwordFiles: new Map(
        settings.warehouses ? [] : addresses.map(({ name }) => [name, join(resolve(settings.dataDir), name, 'password')]),
      ),
      dataDir: settings.warehouses ? undefined : settings.dataDir,
      developmentTokens,
    }),
  );
}

/** A second start on the folder is told where the first one answers. */
async function takeDataDir(service: Service, { host, dataDir }: StartSettings, port: number): Promise<void> {
  const { lockDataDir } = await import('#embedded/data-dir-lock.ts');
  const lock = await lockDataDir(resolve(dataDir), { url: localUrl(host, port) });
  service.own({ what: 'the use of the data folder', close: () => lock.release(), force: () => lock.release() });
}

async function startDatabases(
  service: Service,
  { dataDir, host, embedded }: StartSettings,
  { log, clock }: Surroundings,
): Promise<WarehouseAddress[]> {
  const leftOut = await findLeftOut({ dataDir, embedded });
  if (leftOut.length > 0)
    log.warn({ warehouses: leftOut }, 'the data folder holds more warehouses than --embedded names: they are not started');
  const { startEmbedded } = await import('#embedded/server.ts');
  const outcomes = await Promise.allSettled(
    embedded.map((warehouse) => startEmbedded({ warehouse, dataDir: resolve(dataDir), log, clock, listenHost: host })),
  );
  const servers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  // Together: each takes a moment to write down what it has, and none waits for another.
  service.own({
    what: `the database${servers.length === 1 ? '' : 's'} of warehouse ${servers.map(({ warehouse }) => warehouse).join(', ')}`,
    close: async () => void (await Promise.all(servers.map((server) => server.stop('fast')))),
    force: async () => void (await Promise.all(servers.map((server) => server.stop('immediate')))),
  });
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return servers.map(({ warehouse, url }) => ({ name: warehouse, url }));
}
