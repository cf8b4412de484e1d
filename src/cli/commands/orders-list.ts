import { Command } from 'commander';
import type { ApiClient } from '../client.ts';
import { addExamples, addOutput, countOption, formatOf, type OutputOptions } from '../options.ts';
import { addCriteria, criteriaOf, type OrderCriteria } from '../order-criteria.ts';
import { addAccess, ORDER_COLUMNS, type ShownOrder, withClient } from '../orders.ts';
import { printData, say } from '../print.ts';

interface ListOptions extends OutputOptions, OrderCriteria {
  limit: number;
  cursor?: string;
}

interface Page {
  orders: ShownOrder[];
  has_more: boolean;
  next_cursor?: string;
}

/** What the gateway gives at once. */
const MAX_PAGE = 200;

export function ordersListCommand(): Command {
  const command = addCriteria(new Command('list').description('Orders, newest first.'))
    .option('--limit <number>', 'how many', countOption(1, 10_000), 50)
    .option('--cursor <cursor>', 'go on where another page ended');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor orders list --status failed', 'conveyor orders list --limit 200 -o jsonl | jq .order_id');
  return command.action(async (options: ListOptions) => {
    const page = await withClient(command, (client) => readPages(client, options));
    printData({ document: page, rows: page.orders, columns: ORDER_COLUMNS, empty: 'No orders.' }, formatOf(options));
    if (page.has_more && page.next_cursor !== undefined) say(`There are more: --cursor ${JSON.stringify(page.next_cursor)}`);
  });
}

/** As many pages as the limit needs; the answer looks like one page. */
async function readPages(client: ApiClient, options: ListOptions): Promise<Page> {
  const orders: ShownOrder[] = [];
  let page: Page = { orders, has_more: true, ...(options.cursor === undefined ? {} : { next_cursor: options.cursor }) };
  while (page.has_more && orders.length < options.limit) {
    const limit = Math.min(MAX_PAGE, options.limit - orders.length);
    const query = { ...criteriaOf(options), limit: String(limit), cursor: page.next_cursor };
    page = (await client.call({ method: 'GET', path: '/orders', query })) as Page;
    orders.push(...page.orders);
  }
  return { ...page, orders };
}
