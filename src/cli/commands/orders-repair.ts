import { Command } from 'commander';
import { type InterventionOptions, intervene } from '../intervene.ts';
import { addExamples, addOutput, formatOf } from '../options.ts';
import { addAccess, ORDER_COLUMNS, orderPath, type ShownOrder, withClient } from '../orders.ts';
import { printRow } from '../print.ts';

const WORDS = {
  retry: {
    description: 'Place the content of a failed or cancelled order again, as a new order.',
    question: (order: ShownOrder) => `Place order ${order.order_id}, which is ${order.status}, again?`,
  },
  release: {
    description: 'Give an order that needs attention, or is held, back to the queue where it stood.',
    question: (order: ShownOrder) => `Release order ${order.order_id}, which is ${order.status}?`,
  },
};

/** `conveyor orders retry` and `release`: what a person does about an order that failed or stopped. */
export function ordersRepairCommand(verb: 'retry' | 'release'): Command {
  const { description, question } = WORDS[verb];
  const command = new Command(verb)
    .description(description)
    .argument('<id>', 'the order id')
    .option('--reason <text>', 'why; kept in the audit')
    .option('--yes', 'do not ask');
  addAccess(addOutput(command));
  addExamples(command, `conveyor orders ${verb} 0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c --reason "the bank answers again" --yes`);
  return command.action(async (id: string, options: InterventionOptions) => {
    const order = await withClient(command, async (client) => {
      const before = (await client.call({ method: 'GET', path: orderPath(id) })) as ShownOrder;
      return intervene<ShownOrder>(client, { question: question(before), path: orderPath(id, `/${verb}`) }, options);
    });
    printRow(order, ORDER_COLUMNS, formatOf(options));
  });
}
