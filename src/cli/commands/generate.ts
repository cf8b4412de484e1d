import { Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_PACE_MS, PACE_RANGE, parsePace } from '#domain/generator-pace.ts';
import { formatDuration } from '#domain/time.ts';
import { sleep, systemClock } from '#engine/clock.ts';
import type { ApiClient } from '../client.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { type Column, printRow, say } from '../print.ts';

interface ShownGenerator {
  running: boolean;
  every?: string;
  started_at?: string;
  holder?: string;
  last_order_id?: string;
  last_at?: string;
}

const COLUMNS: Column<ShownGenerator>[] = [
  { title: 'RUNNING', text: (row) => (row.running ? 'yes' : 'no') },
  { title: 'EVERY', text: (row) => row.every ?? '' },
  { title: 'SINCE', text: (row) => row.started_at ?? '' },
  { title: 'LAST ORDER', text: (row) => row.last_order_id ?? '' },
  { title: 'LAST AT', text: (row) => row.last_at ?? '' },
];

const LOOK_EVERY_MS = 500;

/** `conveyor generate`: the cluster's generator, started here and stopped with this command unless it is detached. */
export function generateCommand(): Command {
  const command = new Command('generate')
    .description('Place an order at a steady pace until Ctrl-C. One generator runs in the cluster, whoever starts it.')
    .addOption(new Option('--every <duration>', 'the pace').default(formatDuration(DEFAULT_PACE_MS)).argParser(readEvery))
    .option('--detach', 'start it and leave it running')
    .option('--stop', 'stop it');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor generate --every 2s', 'conveyor generate --every 500ms --detach', 'conveyor generate --stop');
  return command.action(async (options: OutputOptions & { every: string; detach?: boolean; stop?: boolean }) => {
    await withClient(command, async (client) => {
      if (options.stop || options.detach) return print(await (options.stop ? stop(client) : start(client, options.every)), options);
      await start(client, options.every);
      await watchUntilInterrupted(client);
      print(await stop(client), options);
    });
  });
}

function readEvery(text: string): string {
  const ms = parsePace(text);
  if (ms === undefined) throw new InvalidArgumentError(`A duration ${PACE_RANGE} is expected, such as 2s.`);
  return formatDuration(ms);
}

async function start(client: ApiClient, every: string): Promise<ShownGenerator> {
  return (await client.call({ method: 'POST', path: '/generator/start', body: { every } })) as ShownGenerator;
}

async function stop(client: ApiClient): Promise<ShownGenerator> {
  return (await client.call({ method: 'POST', path: '/generator/stop', body: {} })) as ShownGenerator;
}

/** Says each order as it is placed. */
async function watchUntilInterrupted(client: ApiClient): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
  let last: string | undefined;
  while (!interrupted.signal.aborted) {
    const state = (await client.call({ method: 'GET', path: '/generator' })) as ShownGenerator;
    if (state.last_order_id !== undefined && state.last_order_id !== last) say(`${state.last_at}  ${state.last_order_id}`);
    last = state.last_order_id ?? last;
    await sleep(systemClock, LOOK_EVERY_MS, interrupted.signal).catch(() => undefined);
  }
}

function print(state: ShownGenerator, options: OutputOptions): void {
  printRow(state, COLUMNS, formatOf(options));
}
