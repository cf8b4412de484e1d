import { Command } from 'commander';
import { type InterventionOptions, intervene } from '../intervene.ts';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, withClient } from '../orders.ts';
import { type Column, printData, printRow, say } from '../print.ts';

interface Conflict {
  id: string;
  found_at: string;
  kind: string;
  warehouse: string;
  customer_id: string;
  key?: { kind: string; key: string };
  order_id: string;
  other_order_id?: string;
  missing?: string[];
  resolved_by?: string;
}

interface Page {
  conflicts: Conflict[];
  next_cursor?: string;
}

const COLUMNS: Column<Conflict>[] = [
  { title: 'FOUND', text: (row) => row.found_at },
  { title: 'KIND', text: (row) => row.kind, style: () => 'red' },
  { title: 'WAREHOUSE', text: (row) => row.warehouse },
  { title: 'CUSTOMER', text: (row) => row.customer_id },
  { title: 'KEY', text: (row) => row.key?.key ?? '' },
  { title: 'ORDER', text: (row) => row.order_id },
  { title: 'OTHER ORDER', text: (row) => row.other_order_id ?? (row.missing ? `unknown: ${row.missing.join(', ')} did not answer` : '') },
  { title: 'RESOLVED BY', text: (row) => row.resolved_by ?? '', wide: true },
  { title: 'ID', text: (row) => row.id },
];

/** Keys whose orders a person has to look at: `conveyor conflicts`. */
export function conflictsCommand(): Command {
  const command = new Command('conflicts')
    .enablePositionalOptions()
    .description('Keys whose orders a person has to look at, after a warehouse was away; newest first.')
    .option('--all', 'resolved ones too')
    .option('--limit <number>', 'how many', countOption(1, 200), 50)
    .option('--cursor <cursor>', 'go on where another page ended');
  addAccess(addOutput(command));
  addExamples(
    command,
    'conveyor conflicts',
    'conveyor conflicts resolve 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c --reason "refunded one" --yes',
  );
  command.action(async (options: OutputOptions & { all?: boolean; limit: number; cursor?: string }) => {
    const query = { limit: String(options.limit), cursor: options.cursor, all: options.all ? 'true' : undefined };
    const page = (await withClient(command, (client) => client.call({ method: 'GET', path: '/conflicts', query }))) as Page;
    printData({ document: page, rows: page.conflicts, columns: COLUMNS, empty: 'No conflicts.' }, formatOf(options));
    if (page.next_cursor !== undefined) say(`There are more: --cursor ${JSON.stringify(page.next_cursor)}`);
  });
  return command.addCommand(resolveCommand());
}

function resolveCommand(): Command {
  const command = new Command('resolve')
    .description('Say that a conflict was looked after.')
    .argument('<id>', 'the id of the conflict')
    .option('--reason <text>', 'what was done; kept with it and in the audit')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor conflicts resolve 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c --reason "refunded one" --yes');
  return command.action(async (id: string, options: InterventionOptions) => {
    const request = { question: `Mark the conflict ${id} as resolved?`, path: `/conflicts/${encodeURIComponent(id)}/resolve` };
    const shown = await withClient(command, (client) => intervene<Conflict>(client, request, options));
    printRow(shown, COLUMNS, formatOf(options));
  });
}
