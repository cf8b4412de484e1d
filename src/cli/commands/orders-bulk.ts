import { Command } from 'commander';
import type { ApiClient } from '../client.ts';
import { confirm } from '../confirm.ts';
import type { InterventionOptions } from '../intervene.ts';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions } from '../options.ts';
import { addCriteria, criteriaOf, type OrderCriteria } from '../order-criteria.ts';
import { addAccess, ORDER_COLUMNS, type ShownOrder, withClient } from '../orders.ts';
import { type Column, printData, printRow, say } from '../print.ts';

type Action = 'cancel' | 'retry';

interface BulkOptions extends InterventionOptions, OrderCriteria {
  pace?: number;
  dryRun?: boolean;
}

interface Preview {
  matching: number;
  matching_is_lower_bound: boolean;
  sample: ShownOrder[];
  missing_warehouses?: string[];
}

interface Operation {
  bulk_id: string;
  action: string;
  state: string;
  matching: number;
  matching_is_lower_bound: boolean;
  succeeded: number;
  refused: number;
  failed: number;
  pace: number;
  started_at: string;
  by: string;
  reason?: string;
  missing_warehouses?: string[];
}

const COLUMNS: Column<Operation>[] = [
  { title: 'BULK ID', text: (operation) => operation.bulk_id },
  { title: 'ACTION', text: (operation) => operation.action },
  { title: 'STATE', text: (operation) => operation.state },
  { title: 'MATCHING', text: (operation) => countText(operation) },
  { title: 'SUCCEEDED', text: (operation) => String(operation.succeeded) },
  { title: 'REFUSED', text: (operation) => String(operation.refused) },
  { title: 'FAILED', text: (operation) => String(operation.failed) },
  { title: 'STARTED', text: (operation) => operation.started_at },
  { title: 'BY', text: (operation) => operation.by },
  { title: 'PACE', text: (operation) => `${operation.pace}/s`, wide: true },
  { title: 'REASON', text: (operation) => operation.reason ?? '', wide: true },
];

const WORDS: Record<Action, { description: string; question: (count: string) => string }> = {
  cancel: {
    description: 'Cancel all orders that match, at a pace: those that wait end, those that run are rolled back.',
    question: (count) => `Cancel ${count} orders?`,
  },
  retry: {
    description: 'Place all failed or cancelled orders that match again, at a pace, as new orders.',
    question: (count) => `Place ${count} orders again?`,
  },
};

/** `conveyor orders bulk …`: the same for all orders that match. */
export function ordersBulkCommand(): Command {
  return new Command('bulk')
    .description('Cancel or retry all orders that match, and see how far that is.')
    .addCommand(beginCommand('cancel'))
    .addCommand(beginCommand('retry'))
    .addCommand(listCommand())
    .addCommand(oneCommand('get'))
    .addCommand(oneCommand('stop'));
}

function beginCommand(action: Action): Command {
  const { description, question } = WORDS[action];
  const command = addCriteria(new Command(action).description(description))
    .option('--pace <number>', 'orders per second (default: 50)', countOption(1, 1_000))
    .option('--reason <text>', 'why; kept in the history of each order')
    .option('--dry-run', 'only count them, and show some')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(
    command,
    `conveyor orders bulk ${action} --region HN --symbol ABC --dry-run`,
    `conveyor orders bulk ${action} --region HN --symbol ABC --pace 100 --reason "the bank was down" --yes`,
  );
  return command.action(async (options: BulkOptions) => {
    await withClient(command, async (client) => {
      const asked = { action, filter: criteriaOf(options) };
      const preview = (await post(client, '', { ...asked, dry_run: true })) as Preview;
      sayMissing(preview, 'nothing is done there');
      if (options.dryRun) {
        say(`${countText(preview)} orders match.`);
        printData({ document: preview, rows: preview.sample, columns: ORDER_COLUMNS, empty: 'No orders.' }, formatOf(options));
        return;
      }
      await confirm(question(countText(preview)), options.yes);
      const { pace, reason } = options;
      const operation = (await post(client, '', { ...asked, pace, reason })) as Operation;
      printRow(operation, COLUMNS, formatOf(options));
      say(`How far it is: conveyor orders bulk get ${operation.bulk_id}`);
    });
  });
}

function listCommand(): Command {
  const command = new Command('list')
    .description('Operations on many orders, newest first.')
    .option('--limit <number>', 'how many', countOption(1, 200), 20);
  addAccess(addOutput(command));
  addExamples(command, 'conveyor orders bulk list');
  return command.action(async (options: OutputOptions & { limit: number }) => {
    const query = { limit: String(options.limit) };
    const page = await withClient(command, (client) => client.call({ method: 'GET', path: '/orders/bulk', query }));
    const { operations } = page as { operations: Operation[] };
    printData({ document: page, rows: operations, columns: COLUMNS, empty: 'No operations.' }, formatOf(options));
  });
}

function oneCommand(verb: 'get' | 'stop'): Command {
  const command = new Command(verb)
    .description(verb === 'get' ? 'How far an operation is.' : 'See to no more orders of an operation.')
    .argument('<id>', 'the bulk id');
  if (verb === 'stop') command.option('--reason <text>', 'why; kept in the audit');
  addAccess(addOutput(command));
  addExamples(command, `conveyor orders bulk ${verb} 0199f3c2-8d6e-7a41-8000-3e0f7f0a1b2c`);
  return command.action(async (id: string, options: InterventionOptions) => {
    const operation = await withClient(command, (client) => {
      const path = `/${encodeURIComponent(id)}`;
      if (verb === 'stop') return post(client, `${path}/stop`, { reason: options.reason });
      return client.call({ method: 'GET', path: `/orders/bulk${path}` });
    });
    printRow(operation as Operation, COLUMNS, formatOf(options));
    sayMissing(operation as Operation, 'how far it is there is not known');
  });
}

function post(client: ApiClient, path: string, body: object): Promise<unknown> {
  return client.call({ method: 'POST', path: `/orders/bulk${path}`, body });
}

function countText({ matching, matching_is_lower_bound: isMore }: Pick<Preview, 'matching' | 'matching_is_lower_bound'>): string {
  return isMore ? `more than ${matching}` : String(matching);
}

function sayMissing({ missing_warehouses: missing = [] }: { missing_warehouses?: string[] }, consequence: string): void {
  if (missing.length > 0) say(`Did not answer: ${missing.join(', ')}; ${consequence}.`);
}
