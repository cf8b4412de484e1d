import { Command } from 'commander';
import { systemClock } from '#engine/clock.ts';
import { buildRegistry, DATABASE_SETTINGS, LOG_SETTINGS, NODE_SETTINGS, ownStores, startNodes, WORKFLOW_SETTINGS } from '../compose.ts';
import { openStores, pickWarehouse, requireDatabases } from '../databases.ts';
import { deriveId } from '../identity.ts';
import { addExamples, addSettings, readSettings } from '../options.ts';
import { Service } from '../service.ts';
import { openSurroundings } from '../surroundings.ts';

const NAMES = [...NODE_SETTINGS, ...WORKFLOW_SETTINGS, ...DATABASE_SETTINGS, ...LOG_SETTINGS] as const;

export function nodeCommand(): Command {
  const command = new Command('node')
    .description('Start one more node: it takes orders from the databases of a running cluster and works them.')
    .option('--warehouse <name>', 'serve only this one of the given warehouses');
  addSettings(command, NAMES);
  addExamples(
    command,
    'CONVEYOR_WAREHOUSES="HCM=postgres://conveyor:…@db1:5432/hcm" conveyor node --node-name worker-2',
    'conveyor node --warehouse HN --slots 100   # of the warehouses in CONVEYOR_WAREHOUSES',
  );
  return command.action(async (options: { warehouse?: string }) => {
    const { settings, file } = await readSettings(command, NAMES);
    process.exitCode = await Service.run(systemClock, async (service) => {
      const surroundings = openSurroundings(settings);
      const registry = buildRegistry(settings, file, surroundings);
      const addresses = pickWarehouse(await requireDatabases(settings), options.warehouse);
      const stores = await openStores(addresses, surroundings);
      ownStores(service, stores);
      await startNodes(service, settings, { stores, registry, baseId: deriveId('node', settings.nodeName) }, surroundings);
    });
  });
}
