import { Command } from 'commander';
import { systemClock } from '#engine/clock.ts';
import { type Access, resolveAccess } from '../client.ts';
import { EXIT, type ExitCode } from '../faults.ts';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions, readSettings, timeoutOption } from '../options.ts';
import { addAccess, CLIENT_SETTINGS } from '../orders.ts';
import { printRow, say } from '../print.ts';
import { computeFigures, type Figures, type RunResult, renderFigures } from '../simulate/figures.ts';
import { runSimulation } from '../simulate/run.ts';
import type { Tally } from '../simulate/tally.ts';

interface SimulateOptions extends OutputOptions {
  orders: number;
  concurrency: number;
  region?: string;
  timeout: number;
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description('Stress test: submit orders, follow each to its end, and check that nothing was lost and every rollback is complete.')
    .option('--orders <number>', 'how many orders', countOption(1, 1_000_000), 1_000)
    .option('--concurrency <number>', 'how many are submitted at the same time', countOption(1, 1_000), 10)
    .option('--region <region>', "the region of the orders; without, each names one of the cluster's at random")
    .addOption(timeoutOption('for the whole run; an order that has not ended then counts as lost', 600_000));
  addAccess(addOutput(command));
  addExamples(
    command,
    'conveyor simulate --orders 1000 --concurrency 10',
    'conveyor simulate --orders 200 --endpoint http://localhost:9090 --json',
  );
  return command.action(async (options: SimulateOptions) => {
    const { settings } = await readSettings(command, CLIENT_SETTINGS);
    printFigures(computeFigures(await measure(options, resolveAccess(settings, 'user'))), options);
  });
}

/** Runs until the end or the first Ctrl-C, with a line of progress where someone watches. */
async function measure(options: SimulateOptions, access: Access): Promise<RunResult> {
  const interrupt = new AbortController();
  const onSignal = (): void => interrupt.abort('interrupted');
  const isLive = process.stderr.isTTY === true;
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await runSimulation({
      access,
      clock: systemClock,
      orders: options.orders,
      concurrency: options.concurrency,
      region: options.region,
      timeoutMs: options.timeout,
      interrupt: interrupt.signal,
      onProgress: isLive ? (tally) => showLine(describeProgress(tally, options.orders)) : undefined,
    });
  } finally {
    if (isLive) showLine('');
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function printFigures(figures: Figures, options: OutputOptions): void {
  const format = formatOf(options);
  if (format === 'table' || format === 'wide') process.stdout.write(renderFigures(figures));
  else printRow(figures, [], format);
  if (figures.verdict === 'interrupted') say('interrupted before the end');
  process.exitCode = exitCodeOf(figures);
}

function exitCodeOf({ verdict }: Figures): ExitCode {
  if (verdict === 'interrupted') return EXIT.interrupted;
  return verdict === 'passed' ? EXIT.done : EXIT.failed;
}

/** Rewrites the last line of the terminal. */
function showLine(text: string): void {
  process.stderr.write(`\r\u001b[2K${text}`);
}

function describeProgress(tally: Tally, orders: number): string {
  const parts = [`submitted ${tally.submitted}/${orders}`, `completed ${tally.completed}`, `failed ${tally.failed}`, `open ${tally.open}`];
  if (tally.cancelled > 0) parts.push(`cancelled ${tally.cancelled}`);
  if (tally.lost.length > 0) parts.push(`lost ${tally.lost.length}`);
  return parts.join('   ');
}
