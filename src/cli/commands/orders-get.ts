import { Command } from 'commander';
import { sleep, systemClock } from '#engine/clock.ts';
import type { ApiClient } from '../client.ts';
import { EXIT, type ExitCode } from '../faults.ts';
import { addExamples, addOutput, formatOf, type OutputOptions, timeoutOption } from '../options.ts';
import { addAccess, isEnded, orderPath, renderOrder, type ShownOrder, withClient } from '../orders.ts';
import { type Format, printRow, say } from '../print.ts';

interface GetOptions extends OutputOptions {
  wait?: boolean;
  timeout: number;
}

const FIRST_POLL_MS = 100;
const MAX_POLL_MS = 2_000;

export function ordersGetCommand(): Command {
  const command = new Command('get')
    .description('One order with its steps.')
    .argument('<id>', 'the order id')
    .option('--wait', 'wait until it has ended; the exit code says how: 0 completed, 5 failed, 3 cancelled or not in time')
    .addOption(timeoutOption('how long to wait', 600_000));
  addAccess(addOutput(command));
  addExamples(command, 'conveyor orders get 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c', 'conveyor orders get "$ID" --wait --timeout 1m --json');
  return command.action(async (id: string, options: GetOptions) => {
    const order = await withClient(command, (client) => (options.wait ? waitForEnd(client, id, options.timeout) : readOrder(client, id)));
    printOrder(order, formatOf(options));
    if (options.wait) process.exitCode = exitCodeOf(order);
  });
}

async function readOrder(client: ApiClient, id: string): Promise<ShownOrder> {
  return (await client.call({ method: 'GET', path: orderPath(id) })) as ShownOrder;
}

async function waitForEnd(client: ApiClient, id: string, timeoutMs: number): Promise<ShownOrder> {
  const deadline = systemClock.monotonic() + timeoutMs;
  for (let pollMs = FIRST_POLL_MS; ; pollMs = Math.min(MAX_POLL_MS, pollMs * 1.5)) {
    const order = await readOrder(client, id);
    const leftMs = deadline - systemClock.monotonic();
    if (isEnded(order.status) || leftMs <= 0) return order;
    await sleep(systemClock, Math.min(pollMs, leftMs));
  }
}

function printOrder(order: ShownOrder, format: Format): void {
  if (format === 'table' || format === 'wide') process.stdout.write(renderOrder(order, format));
  else printRow(order, [], format);
}

function exitCodeOf(order: ShownOrder): ExitCode {
  switch (order.status) {
    case 'completed':
      return EXIT.done;
    case 'failed':
      return EXIT.orderFailed;
    case 'cancelled':
      return EXIT.cancelled;
    default:
      say('The order has not ended in time; it goes on.');
      return EXIT.cancelled;
  }
}
