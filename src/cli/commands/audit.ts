import { Command } from 'commander';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { type Column, printData, renderJson, say } from '../print.ts';

interface Entry {
  at: string;
  actor: string;
  action: string;
  target: string;
  reason?: string;
  detail?: unknown;
  warehouse: string;
}

interface Page {
  entries: Entry[];
  has_more: boolean;
  next_cursor?: string;
}

const COLUMNS: Column<Entry>[] = [
  { title: 'AT', text: (entry) => entry.at },
  { title: 'WHO', text: (entry) => entry.actor },
  { title: 'WHAT', text: (entry) => entry.action },
  { title: 'TARGET', text: (entry) => entry.target },
  { title: 'WAREHOUSE', text: (entry) => entry.warehouse, wide: true },
  { title: 'DETAIL', text: (entry) => (entry.detail === undefined ? '' : renderJson(entry.detail)), wide: true },
  { title: 'WHY', text: (entry) => entry.reason ?? '' },
];

export function auditCommand(): Command {
  const command = new Command('audit')
    .description('What was done by hand: who, what, when, why; newest first.')
    .option('--limit <number>', 'how many', countOption(1, 200), 50)
    .option('--cursor <cursor>', 'go on where another page ended');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor audit', 'conveyor audit --limit 200 -o jsonl | jq -r .action');
  return command.action(async (options: OutputOptions & { limit: number; cursor?: string }) => {
    const query = { limit: String(options.limit), cursor: options.cursor };
    const page = (await withClient(command, (client) => client.call({ method: 'GET', path: '/audit', query }))) as Page;
    printData({ document: page, rows: page.entries, columns: COLUMNS, empty: 'Nothing was done by hand.' }, formatOf(options));
    if (page.next_cursor !== undefined) say(`There are more: --cursor ${JSON.stringify(page.next_cursor)}`);
  });
}
