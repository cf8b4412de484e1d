import type { OrderSummaryJson } from '#gateway/api.ts';

/** The steps of the workflow that Conveyor brings along, in their order. */
export const ORDER_STEPS: readonly string[] = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];

/** The steps of an order's workflow as far as the console knows them; those of others show as the order reaches them. */
export function stepNamesOf({ workflow }: Pick<OrderSummaryJson, 'workflow'>): readonly string[] {
  return workflow === 'order' ? ORDER_STEPS : [];
}
