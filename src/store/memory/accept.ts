import type { AcceptVerdict, NewOrder, OrderKey } from '#engine/store.ts';
import { copyOf, type KeyRow, type MemoryDatabase, workflowKey } from './database.ts';

/** Stores all orders or, where one of them is a mistake of the caller, none. */
export function acceptOrders(db: MemoryDatabase, orders: NewOrder[]): AcceptVerdict[] {
  for (const { workflow, workflowVersion, orderId } of orders) {
    if (!db.workflows.has(workflowKey(workflow, workflowVersion)))
      throw new Error(`workflow ${workflow} version ${workflowVersion} was not registered with this database`);
    if (db.orders.has(orderId)) throw new Error(`order id ${orderId} was given before; every order needs an id of its own`);
  }
  return orders.map((order) => accept(db, order));
}

function accept(db: MemoryDatabase, order: NewOrder): AcceptVerdict {
  const found = order.keys.flatMap((key) => {
    const row = db.keys.get(placeOf(order.customerId, key));
    return row ? [{ key, row }] : [];
  });
  const first = found[0];
  if (first) return judge(db, order, first, found);
  const acceptedAt = db.clock.now();
  for (const key of order.keys) db.keys.set(placeOf(order.customerId, key), { orderId: order.orderId, bodyHash: order.bodyHash });
  db.addOrder({
    orderId: order.orderId,
    customerId: order.customerId,
    workflow: order.workflow,
    workflowVersion: order.workflowVersion,
    content: copyOf(order.content),
    state: 'queued',
    direction: 'forward',
    step: 1,
    ownerSession: null,
    fence: 0,
    version: 1,
    nextRunAt: acceptedAt,
    retries: 0,
    acceptedAt,
    endedAt: null,
    requested: null,
    crashCount: 0,
    retryOf: null,
  });
  return { outcome: 'created', orderId: order.orderId, acceptedAt };
}

interface Found {
  key: OrderKey;
  row: KeyRow;
}

function judge(db: MemoryDatabase, order: NewOrder, first: Found, found: Found[]): AcceptVerdict {
  const stranger = found.find(({ row }) => row.orderId !== first.row.orderId);
  if (stranger) return { outcome: 'keys_disagree', key: stranger.key };
  const changed = found.find(({ row }) => !order.bodyHash || !row.bodyHash?.equals(order.bodyHash));
  if (changed) return { outcome: 'other_body', key: changed.key };
  const { orderId } = first.row;
  return { outcome: 'existing', orderId, acceptedAt: db.orders.get(orderId)?.acceptedAt ?? 0 };
}

function placeOf(customerId: string, { kind, key }: OrderKey): string {
  return JSON.stringify([customerId, kind, key]);
}
