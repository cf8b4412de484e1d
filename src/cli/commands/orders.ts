import { Command } from 'commander';
import { ordersBulkCommand } from './orders-bulk.ts';
import { ordersCancelCommand } from './orders-cancel.ts';
import { ordersEventsCommand } from './orders-events.ts';
import { ordersGetCommand } from './orders-get.ts';
import { ordersListCommand } from './orders-list.ts';
import { ordersRepairCommand } from './orders-repair.ts';

export function ordersCommand(): Command {
  return new Command('orders')
    .description('Look at orders, cancel, retry and release them, through a gateway.')
    .addCommand(ordersListCommand())
    .addCommand(ordersGetCommand())
    .addCommand(ordersCancelCommand())
    .addCommand(ordersRepairCommand('retry'))
    .addCommand(ordersRepairCommand('release'))
    .addCommand(ordersBulkCommand())
    .addCommand(ordersEventsCommand());
}
