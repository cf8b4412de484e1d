import { Command } from 'commander';
import type { ApiClient } from '../client.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, orderPath, withClient } from '../orders.ts';
import { type Column, type Format, neutralise, printData, renderJson } from '../print.ts';
import { readMessages } from '../sse.ts';

/** An event as the gateway answers it, as far as it is shown. */
type ShownEvent = Record<string, unknown>;

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined || value === null ? '' : renderJson(value);

const COLUMNS: Column<ShownEvent>[] = [
  { title: 'VERSION', text: (event) => textOf(event['version']) },
  { title: 'AT', text: (event) => textOf(event['at']) },
  { title: 'EVENT', text: (event) => textOf(event['kind']) },
  { title: 'STEP', text: (event) => textOf(event['step_name'] ?? event['step']) },
  { title: 'DIRECTION', text: (event) => textOf(event['direction']) },
  { title: 'SESSION', text: (event) => textOf(event['session']), wide: true },
  { title: 'FENCE', text: (event) => textOf(event['fence']), wide: true },
  { title: 'NODE', text: (event) => textOf(event['node_name'] ?? event['node_id']), wide: true },
  { title: 'DATA', text: (event) => textOf(event['data']) },
];

export function ordersEventsCommand(): Command {
  const command = new Command('events')
    .description('The full history of an order, oldest first.')
    .argument('<id>', 'the order id')
    .option('-f, --follow', 'stay, and print each event as it happens, until the order has ended');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor orders events 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c', 'conveyor orders events "$ID" --follow -o jsonl');
  return command.action(async (id: string, options: OutputOptions & { follow?: boolean }) => {
    const format = formatOf(options);
    await withClient(command, (client) => (options.follow ? follow(client, id, format) : printHistory(client, id, format)));
  });
}

async function printHistory(client: ApiClient, id: string, format: Format): Promise<void> {
  const document = (await client.call({ method: 'GET', path: orderPath(id, '/events') })) as { events: ShownEvent[] };
  printData({ document, rows: document.events, columns: COLUMNS, empty: 'No events.' }, format);
}

/** A stream has no end to align columns by, so it is one line for each event: words for people, JSON for programs, whatever the format. */
async function follow(client: ApiClient, id: string, format: Format): Promise<void> {
  const path = orderPath(id, '/events');
  const stream = await client.open({ method: 'GET', path, headers: { accept: 'text/event-stream' } });
  for await (const data of readMessages(stream)) {
    const event = JSON.parse(data) as ShownEvent;
    process.stdout.write(format === 'table' || format === 'wide' ? renderEventLine(event) : `${renderJson(event)}\n`);
  }
}

function renderEventLine(event: ShownEvent): string {
  const words = [event['at'], textOf(event['kind']).padEnd(16), event['step_name'] ?? event['step'], event['data']];
  return `${neutralise(words.map(textOf).join('  ')).trimEnd()}\n`;
}
