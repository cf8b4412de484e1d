import { Command, CommanderError } from 'commander';
import { auditCommand } from './commands/audit.ts';
import { clusterCommand } from './commands/cluster.ts';
import { conflictsCommand } from './commands/conflicts.ts';
import { demoCommand } from './commands/demo.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { generateCommand } from './commands/generate.ts';
import { migrateCommand } from './commands/migrate.ts';
import { nodeCommand } from './commands/node.ts';
import { nodesCommand } from './commands/nodes.ts';
import { ordersCommand } from './commands/orders.ts';
import { runSuspectsCommand } from './commands/run-suspects.ts';
import { simulateCommand } from './commands/simulate.ts';
import { startCommand } from './commands/start.ts';
import { tokenCommand } from './commands/token.ts';
import { warehousesCommand } from './commands/warehouses.ts';
import { describeFault, EXIT } from './faults.ts';
import { addExamples } from './options.ts';
import { say } from './print.ts';
import { readVersion } from './surroundings.ts';

/** Runs the command line `argv` (without the program's own name) and sets the process's exit code. */
export async function main(argv: string[]): Promise<void> {
  leaveQuietlyOnClosedPipe();
  try {
    await buildProgram().parseAsync(argv, { from: 'user' });
  } catch (error) {
    process.exitCode = reportFault(error);
  }
}

function buildProgram(): Command {
  const program = new Command('conveyor')
    .description('A distributed order-processing system on PostgreSQL.')
    .version(readVersion(), '-V, --version', 'print the version')
    // `warehouses` and `conflicts` list by themselves: an option after `disable` is that command's.
    .enablePositionalOptions()
    .addCommand(startCommand())
    .addCommand(gatewayCommand())
    .addCommand(nodeCommand())
    .addCommand(simulateCommand())
    .addCommand(generateCommand())
    .addCommand(demoCommand())
    .addCommand(ordersCommand())
    .addCommand(clusterCommand())
    .addCommand(nodesCommand())
    .addCommand(warehousesCommand())
    .addCommand(conflictsCommand())
    .addCommand(auditCommand())
    .addCommand(tokenCommand())
    .addCommand(migrateCommand())
    .addCommand(runSuspectsCommand(), { hidden: true });
  addExamples(program, 'conveyor start', 'conveyor orders list', 'conveyor simulate --orders 1000 --concurrency 10');
  forEachCommand(program, (command) => command.exitOverride().showHelpAfterError('(--help shows what is possible)'));
  return program;
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}

function reportFault(error: unknown): number {
  // Commander has printed its own message already; help and version are no faults.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  const { faults, advice, exitCode } = describeFault(error);
  for (const fault of faults) say(`error: ${fault}`);
  if (advice !== undefined) say(advice);
  return exitCode;
}

/** `conveyor orders list | head` ends like any other tool when its reader has seen enough. */
function leaveQuietlyOnClosedPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
}
