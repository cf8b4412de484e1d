import { Command } from 'commander';
import { type InterventionOptions, intervene } from '../intervene.ts';
import { addExamples, addOutput, formatOf } from '../options.ts';
import { addAccess, isEnded, ORDER_COLUMNS, orderPath, type ShownOrder, withClient } from '../orders.ts';
import { printRow, say } from '../print.ts';

interface CancelOptions extends InterventionOptions {
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
      const question = `Cancel order ${before.order_id}, which is ${before.status}?`;
      return intervene<ShownOrder>(client, { question, path: orderPath(id, '/cancel') }, options);
    });
    printRow(order, ORDER_COLUMNS, formatOf(options));
  });
}

function sayPlan(order: ShownOrder): ShownOrder {
  if (isEnded(order.status)) say('Nothing would happen: the order has ended.');
  else if (order.status === 'queued') say('The order would be cancelled; steps that ran already would be rolled back.');
  else say('The running step would be aborted and the steps that ran rolled back.');
  return order;
}
