import { newOrderId } from '#domain/ids.ts';
import type { OrderRecord } from '#domain/order.ts';
import { isEnded } from '#domain/order-state.ts';
import { systemClock } from '#engine/clock.ts';
import { findViolations, type Violation } from '#engine/history-check.ts';
import type { NewOrder, OrderKey, Store } from '#engine/store.ts';

const STEPS = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];
export const ORDER_WORKFLOW = { name: 'order', version: 1, stepNames: STEPS };

/** A new order of the default workflow; `changes` make it special. */
export function newOrder(changes: Partial<NewOrder> & { keys?: OrderKey[] } = {}, warehouse = 1): NewOrder {
  return {
    orderId: newOrderId(warehouse, systemClock.now(), systemClock.entropy()),
    customerId: 'user',
    workflow: 'order',
    workflowVersion: 1,
    content: {},
    keys: [],
    bodyHash: null,
    routedBecause: null,
    unsettledHome: null,
    ...changes,
  };
}

/** Accepts this many orders in one go; their ids. */
export async function acceptMany(store: Store, count: number): Promise<string[]> {
  const orders = Array.from({ length: count }, () => newOrder({}, store.warehouse.number));
  await store.acceptOrders(orders);
  await store.wakeNodes(count);
  return orders.map((order) => order.orderId);
}

export async function readRecords(store: Store, orderIds: string[]): Promise<OrderRecord[]> {
  const records: OrderRecord[] = [];
  for (let from = 0; from < orderIds.length; from += 250) {
    const found = await store.readOrders(orderIds.slice(from, from + 250));
    records.push(...found.filter((record) => record !== undefined));
  }
  return records;
}

export async function countOpen(store: Store, orderIds: string[]): Promise<number> {
  return (await readRecords(store, orderIds)).filter(({ order }) => !isEnded(order.state)).length;
}

/** Every breach of the invariants in the histories of orders of the default workflow, all of which must have ended. */
export function violationsOf(records: OrderRecord[]): Violation[] {
  return findViolations(records, { stepCountOf: () => STEPS.length, allEnded: true });
}
