import type { Order } from '#domain/order.ts';
import { idempotencyKeyOf } from '#engine/handler.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import { priceExecution } from '#workflows/execution-price.ts';

/** The price that Processing of the default workflow will compute: it follows from the order, so it is known before. */
export function expectedPrices(registry: WorkflowRegistry): (order: Order) => string | undefined {
  return ({ workflow, workflowVersion, orderId, content }) => {
    if (workflow !== 'order') return undefined;
    const step = (registry.find(workflow, workflowVersion)?.steps ?? []).findIndex(({ name }) => name === 'Processing') + 1;
    if (step === 0) return undefined;
    return priceExecution(content.quantity ?? 1, idempotencyKeyOf(orderId, { step, direction: 'forward' })).execution_price;
  };
}
