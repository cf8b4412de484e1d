import { Command } from 'commander';
import { systemClock } from '#engine/clock.ts';
import {
  buildRegistry,
  DATABASE_SETTINGS,
  decideDevelopmentTokens,
  GATEWAY_SETTINGS,
  LOG_SETTINGS,
  openOwned,
  routingOf,
  startGateway,
  WORKFLOW_SETTINGS,
} from '../compose.ts';
import { refuseLeftOut, requireDatabases } from '../databases.ts';
import { deriveId } from '../identity.ts';
import { addExamples, addSettings, readSettings } from '../options.ts';
import { localUrl } from '../port.ts';
import { Service } from '../service.ts';
import { openSurroundings } from '../surroundings.ts';

const NAMES = [...GATEWAY_SETTINGS, ...WORKFLOW_SETTINGS, 'nodeName', ...DATABASE_SETTINGS, ...LOG_SETTINGS] as const;

export function gatewayCommand(): Command {
  const command = new Command('gateway').description('Start only the gateway: it accepts orders and answers questions; nodes work them.');
  addSettings(command, NAMES);
  addExamples(
    command,
    'CONVEYOR_WAREHOUSES="HCM=postgres://conveyor:…@db1:5432/hcm" conveyor gateway --port 8081',
    'conveyor gateway --database HN=postgres://conveyor@db2/hn --log-format json',
  );
  return command.action(async () => {
    const { settings, file } = await readSettings(command, NAMES);
    process.exitCode = await Service.run(systemClock, async (service) => {
      const surroundings = openSurroundings(settings);
      const registry = buildRegistry(settings, file, surroundings);
      await refuseLeftOut(settings);
      const addresses = await requireDatabases(settings);
      const names = addresses.map(({ name }) => name);
      routingOf(settings, names);
      const warehouses = await openOwned(service, addresses, {}, registry, surroundings);
      const developmentTokens = await decideDevelopmentTokens(settings.host, warehouses);
      const serviceId = deriveId('gateway', settings.nodeName);
      const parts = {
        ...{ warehouses, registry, serviceId, serviceName: settings.nodeName, workflowName: settings.workflow, developmentTokens },
        ...{ addresses, databasesAreHere: !settings.warehouses },
      };
      const { port } = await startGateway(service, settings, parts, surroundings);
      surroundings.log.info({ url: localUrl(settings.host, port), warehouses: names, developmentTokens }, 'gateway started');
    });
  });
}
