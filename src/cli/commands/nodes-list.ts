import { Command } from 'commander';
import { sleep, systemClock } from '#engine/clock.ts';
import type { ApiClient } from '../client.ts';
import { NODE_COLUMNS, readCluster } from '../cluster.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { type Format, printData, renderData } from '../print.ts';

const REFRESH_MS = 1_000;
const CLEAR_SCREEN = '\u001b[H\u001b[J';

export function nodesListCommand(): Command {
  const command = new Command('list')
    .description('The nodes: state, role, slots, lease, what they took over.')
    .option('-w, --watch', 'stay, and show every change until Ctrl-C');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor nodes list', 'conveyor nodes list --watch');
  return command.action(async (options: OutputOptions & { watch?: boolean }) => {
    const format = formatOf(options);
    await withClient(command, (client) => (options.watch ? watch(client, format) : print(client, format)));
  });
}

async function print(client: ApiClient, format: Format): Promise<void> {
  const cluster = await readCluster(client);
  printData({ document: cluster.nodes, rows: cluster.nodes, columns: NODE_COLUMNS, empty: 'No nodes.' }, format);
}

/** On a terminal the table stays in its place; elsewhere a new one follows whenever something besides the clocks changed. */
async function watch(client: ApiClient, format: Format): Promise<void> {
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  let shown = '';
  while (!stop.signal.aborted) {
    const { nodes, generated_at } = await readCluster(client);
    const text = renderData({ document: nodes, rows: nodes, columns: NODE_COLUMNS, empty: 'No nodes.' }, format);
    const essence = JSON.stringify(nodes.map(({ last_activity: _, lease_ms: __, ...node }) => node));
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_SCREEN}${generated_at}\n\n${text}`);
    else if (essence !== shown) process.stdout.write(text);
    shown = essence;
    await sleep(systemClock, REFRESH_MS, stop.signal).catch(() => undefined);
  }
}
