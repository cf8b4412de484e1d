import type { Command } from 'commander';

/** The flags that select orders. */
export interface OrderCriteria {
  status?: string;
  step?: string;
  region?: string;
  warehouse?: string;
  node?: string;
  customerName?: string;
  id?: string;
  trackingId?: string;
  symbol?: string;
  since?: string;
  until?: string;
}

export function addCriteria(command: Command): Command {
  return command
    .option('--status <status>', 'queued, processing, rolling_back, completed, failed, cancelled, needs_attention or held')
    .option('--step <name>', 'open orders at this step')
    .option('--region <region>', 'orders of this region')
    .option('--warehouse <name>', 'orders of this warehouse')
    .option('--node <id>', 'open orders that this node works')
    .option('--customer-name <name>', 'orders with this customer name')
    .option('--id <beginning>', 'orders whose id begins so, at least 4 digits')
    .option('--tracking-id <id>', 'the orders that their customers call so')
    .option('--symbol <symbol>', 'orders with this symbol')
    .option('--since <time>', 'accepted at or after, such as 2026-01-31T12:00:00Z')
    .option('--until <time>', 'accepted before');
}

/** As the gateway calls them. */
export function criteriaOf(options: OrderCriteria): Record<string, string | undefined> {
  const { status, step, region, warehouse, node, customerName, id, trackingId, symbol, since, until } = options;
  return { status, step, region, warehouse, node, customer_name: customerName, id, tracking_id: trackingId, symbol, since, until };
}
