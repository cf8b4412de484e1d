import { Command } from 'commander';
import { buildRegistry, LOG_SETTINGS, WORKFLOW_SETTINGS } from '../compose.ts';
import { CommandFault, EXIT } from '../faults.ts';
import { addSettings, readSettings } from '../options.ts';
import { openSurroundings } from '../surroundings.ts';

const NAMES = [...WORKFLOW_SETTINGS, ...LOG_SETTINGS] as const;

/** Started by a node, never by hand: runs the handlers of orders that may be what kills nodes. */
export function runSuspectsCommand(): Command {
  const command = new Command('run-suspects').description('Run the handlers of suspects for the node that started this process.');
  addSettings(command, NAMES);
  return command.action(async () => {
    if (!process.send)
      throw new CommandFault(EXIT.usage, 'run-suspects was started by hand', 'Nodes start it by themselves, when they need it.');
    const { settings, file } = await readSettings(command, NAMES);
    const { serveSuspects } = await import('#node/suspects/serve.ts');
    const surroundings = openSurroundings(settings);
    serveSuspects({ registry: buildRegistry(settings, file, surroundings), ...surroundings });
  });
}
