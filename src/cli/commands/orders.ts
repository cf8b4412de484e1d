import { Command } from 'commander';
import { ordersCancelCommand } from './orders-cancel.ts';
import { ordersEventsCommand } from './orders-events.ts';
import { ordersGetCommand } from './orders-get.ts';
import { ordersListCommand } from './orders-list.ts';

export function ordersCommand(): Command {
  return new Command('orders')
    .description('Look at orders and cancel them, through a gateway.')
    .addCommand(ordersListCommand())
    .addCommand(ordersGetCommand())
    .addCommand(ordersCancelCommand())
    .addCommand(ordersEventsCommand());
}
