import { Command } from 'commander';
import type { ConfigFile } from '#config/define.ts';
import type { SettingName, Settings } from '#config/settings.ts';
import { systemClock } from '#engine/clock.ts';
import { buildRegistry, DATABASE_SETTINGS, LOG_SETTINGS, NODE_SETTINGS, openOwned, WORKFLOW_SETTINGS } from '../compose.ts';
import { pickLeastServed, pickWarehouse, requireDatabases } from '../databases.ts';
import { CommandFault, EXIT } from '../faults.ts';
import { deriveId } from '../identity.ts';
import { joinCluster } from '../join.ts';
import { startOneNode, startOpsPort } from '../nodes.ts';
import { addExamples, addSettings, readSettings } from '../options.ts';
import { Service } from '../service.ts';
import { openSurroundings, type Surroundings } from '../surroundings.ts';

const NAMES = [...NODE_SETTINGS, 'join', 'joinToken', ...WORKFLOW_SETTINGS, ...DATABASE_SETTINGS, ...LOG_SETTINGS] as const;
type NodeCommandSettings = Pick<Settings, (typeof NAMES)[number]>;

interface Asked {
  settings: NodeCommandSettings;
  given: ReadonlySet<SettingName>;
  file: ConfigFile | undefined;
  warehouse: string | undefined;
}

export function nodeCommand(): Command {
  const command = new Command('node')
    .description('Start one more node for a running cluster: it takes orders from a database of the cluster and works them.')
    .option('--warehouse <name>', 'serve this warehouse; without, the one with the fewest live slots');
  addSettings(command, NAMES);
  addExamples(
    command,
    'conveyor node --join localhost:8080',
    'CONVEYOR_JOIN_TOKEN=cvy_… conveyor node --join http://conveyor.example:8080 --warehouse HN --slots 100',
    'CONVEYOR_WAREHOUSES="HCM=postgres://conveyor:…@db1:5432/hcm" conveyor node --node-name worker-2',
  );
  return command.action(async ({ warehouse }: { warehouse?: string }) => {
    const { settings, file, given } = await readSettings(command, NAMES);
    process.exitCode = await Service.run(systemClock, (service) => start(service, { settings, file, given, warehouse }));
  });
}

async function start(service: Service, asked: Asked): Promise<void> {
  const surroundings = openSurroundings(asked.settings);
  const opsPort = await startOpsPort(service, asked.settings, surroundings);
  // Several nodes of one machine differ by their operations ports; a restart finds the same port free again.
  const nodeName = asked.given.has('nodeName') ? asked.settings.nodeName : `${asked.settings.nodeName.slice(0, 58)}-${opsPort.port}`;
  const { address, settings } = await findWarehouse(asked, nodeName, surroundings);
  const registry = buildRegistry(settings, asked.file, surroundings);
  const [warehouse] = await openOwned(service, [address], settings, registry, surroundings);
  if (!warehouse) throw new Error('assertion failed: one address gives one warehouse');
  // Waited for where its database does not answer; a stop ends the wait.
  if (warehouse.unready() !== undefined) return;
  const { store } = warehouse;
  const node = { nodeId: deriveId('node', nodeName), nodeName, onStopped: (sentence: string) => service.finish(sentence) };
  await startOneNode(service, settings, { store, registry, opsPort, ...node }, surroundings);
  surroundings.log.info({ node: nodeName, warehouse: address.name, operations: opsPort.address }, 'node started');
}

/** From the gateway that is joined, or from the databases that were given. */
async function findWarehouse(
  { settings, given, file, warehouse }: Asked,
  nodeName: string,
  surroundings: Surroundings,
): Promise<{ address: { name: string; url: string }; settings: NodeCommandSettings }> {
  if (settings.join === undefined) {
    const addresses = pickWarehouse(await requireDatabases(settings), warehouse);
    return { address: await pickLeastServed(addresses, surroundings), settings };
  }
  if (settings.warehouses)
    throw new CommandFault(EXIT.usage, '--join and --database (CONVEYOR_WAREHOUSES) are both given; allowed is one of them');
  const { readSchemaVersion } = await import('#store/postgres/migrate.ts');
  const joined = await joinCluster({
    ...{ endpoint: settings.join, token: settings.joinToken, nodeName, version: surroundings.version, warehouse },
    ...{ schema: await readSchemaVersion(), registry: buildRegistry(settings, file, surroundings) },
  });
  const { step_duration_ms, failure_rate } = joined.simulation;
  const taken = {
    ...settings,
    ...(given.has('stepDurationMs') ? {} : { stepDurationMs: step_duration_ms }),
    ...(given.has('failureRate') ? {} : { failureRate: failure_rate }),
  };
  return { address: { name: joined.warehouse, url: joined.database_url }, settings: taken };
}
