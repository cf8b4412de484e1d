import { warehouseNumber } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import type { Store } from '#engine/store.ts';
import { createMemoryStore } from '#store/memory/memory-store.ts';
import { serveOrders } from './serve-orders.ts';

/**
 * What accepting costs without a database: the gateway as it is, over a store that keeps no orders. Authentication, the check
 * against the schema, routing, batching and the answer are all there.
 */
const memory = createMemoryStore({ warehouse: { name: 'HCM', number: warehouseNumber('HCM') }, clock: systemClock });
const store: Store = {
  ...memory,
  acceptOrders: async (orders) => {
    const acceptedAt = systemClock.now();
    return orders.map(({ orderId }) => ({ outcome: 'created', orderId, acceptedAt }));
  },
};
await serveOrders(store);
