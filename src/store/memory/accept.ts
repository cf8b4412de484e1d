import type { CustomerKey, KeyReservation, ReserveVerdict } from '#engine/peer-store.ts';
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
  const found = findTaken(db, order);
  const first = found[0];
  if (first) return judge(db, order, first, found);
  const acceptedAt = db.clock.now();
  takeKeys(db, order, order.unsettledHome);
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
    routedBecause: order.routedBecause,
    keyed: order.keys.length > 0,
  });
  return { outcome: 'created', orderId: order.orderId, acceptedAt };
}

interface Found {
  key: OrderKey;
  row: KeyRow;
}

type KeyedOrder = Pick<NewOrder, 'orderId' | 'customerId' | 'keys' | 'bodyHash'>;

function findTaken(db: MemoryDatabase, { customerId, keys }: KeyedOrder): Found[] {
  return keys.flatMap((key) => {
    const row = db.keys.get(placeOfKey({ ...key, customerId }));
    return row ? [{ key, row }] : [];
  });
}

function judge(db: MemoryDatabase, order: KeyedOrder, first: Found, found: Found[]): AcceptVerdict {
  const stranger = found.find(({ row }) => row.orderId !== first.row.orderId);
  if (stranger) return { outcome: 'keys_disagree', key: stranger.key };
  const changed = found.find(({ row }) => !order.bodyHash || !row.bodyHash?.equals(order.bodyHash));
  if (changed) return { outcome: 'other_body', key: changed.key };
  const { orderId } = first.row;
  const stored = db.orders.get(orderId);
  return stored ? { outcome: 'existing', orderId, acceptedAt: stored.acceptedAt } : { outcome: 'elsewhere', orderId };
}

function takeKeys(db: MemoryDatabase, { customerId, keys, orderId, bodyHash }: KeyedOrder, home: string | null): void {
  for (const key of keys) db.keys.set(placeOfKey({ ...key, customerId }), { ...key, customerId, orderId, bodyHash, home });
}

/** Keys of orders that other warehouses are about to store. */
export function reserveKeys(db: MemoryDatabase, reservations: KeyReservation[]): ReserveVerdict[] {
  return reservations.map((one) => {
    const found = findTaken(db, one);
    if (!found[0]) {
      takeKeys(db, one, null);
      return { outcome: 'reserved' };
    }
    const verdict = judge(db, one, found[0], found);
    return 'orderId' in verdict ? { outcome: 'existing', orderId: verdict.orderId } : verdict;
  });
}

export function placeOfKey({ customerId, kind, key }: CustomerKey): string {
  return JSON.stringify([customerId, kind, key]);
}
