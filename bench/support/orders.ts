import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import type { Store } from '#engine/store.ts';

const ACCEPT_BATCH = 500;

/** Accepts so many orders of the default workflow, as a gateway would, and tells the nodes. */
export async function acceptOrders(store: Store, count: number): Promise<void> {
  for (let accepted = 0; accepted < count; accepted += ACCEPT_BATCH) {
    const batch = Math.min(ACCEPT_BATCH, count - accepted);
    await store.acceptOrders(
      Array.from({ length: batch }, () => ({
        orderId: newOrderId(store.warehouse.number, systemClock.now(), systemClock.entropy()),
        customerId: 'user',
        workflow: 'order',
        workflowVersion: 1,
        content: { symbol: 'abc', quantity: 3 },
        keys: [],
        bodyHash: null,
      })),
    );
  }
  await store.wakeNodes(count);
}
