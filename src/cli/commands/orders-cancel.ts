import { Command } from 'commander';
import { confirm } from '../confirm.ts';
import { addExamples, addOutput, formatOf, type OutputOptions } from '../options.ts';
import { addAccess, isEnded, ORDER_COLUMNS, orderPath, type ShownOrder, withClient } from '../orders.ts';
import { printData, say } from '../print.ts';

interface CancelOptions extends OutputOptions {
  reason?: string;
  yes?: boolean;
  dryRun?: boolean;
}

export function ordersCancelCommand(): Command {
  const command = new Command('cancel')
    .description('Cancel an order: one that waits ends, one that runs is rolled back.')
    .argument('<id>', 'the order id')
    .option('--reason <text>', 'why; kept in the history of the order')
    .option('--dry-run', 'only say what would happen')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, 'conveyor orders cancel 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c --reason "ordered twice" --yes');
  return command.action(async (id: string, options: CancelOptions) => {
    const order = await withClient(command, async (client) => {
      const before = (await client.call({ method: 'GET', path: orderPath(id) })) as ShownOrder;
      if (options.dryRun) return sayPlan(before);
      await confirm(`Cancel order ${before.order_id}, which is ${before.status}?`, options.yes);
      const body = options.reason === undefined ? {} : { reason: options.reason };
      return (await client.call({ method: 'POST', path: orderPath(id, '/cancel'), body })) as ShownOrder;
    });
    printData({ document: order, rows: [order], columns: ORDER_COLUMNS, empty: '' }, formatOf(options));
  });
}

function sayPlan(order: ShownOrder): ShownOrder {
  if (isEnded(order.status)) say('Nothing would happen: the order has ended.');
  else if (order.status === 'queued') say('The order would be cancelled; steps that ran already would be rolled back.');
  else say('The running step would be aborted and the steps that ran rolled back.');
  return order;
}
