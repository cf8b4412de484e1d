import type { Step } from '#engine/workflow.ts';
import { priceExecution } from '../execution-price.ts';
import { type Simulation, simulatedStep } from '../simulation.ts';

/** Carries the order out, and says what that cost; the undo reverses both. */
export function processing(simulation: Simulation): Step {
  return simulatedStep('Processing', simulation, ({ order, idempotencyKey, log }) => {
    const price = priceExecution(order.quantity ?? 1, idempotencyKey);
    log.info({ execution_price: price.execution_price, quantity: price.quantity }, 'execution price');
    return price;
  });
}
