import { newOrderId } from '#domain/ids.ts';
import { systemClock } from '#engine/clock.ts';
import { findViolations } from '#engine/history-check.ts';
import type { NewOrder, Store } from '#engine/store.ts';
import { readRecords } from '#test/orders.ts';
import { type BenchDatabase, STEP_NAMES } from './server.ts';
import { countCompleted } from './stored-orders.ts';

const ACCEPT_BATCH = 500;
const LOOK_EVERY_MS = 25;
const STUCK_AFTER_MS = 60_000;
const SAMPLE = 1_000;

/** Orders of the default workflow that nobody knows yet. */
export function newOrders(store: Store, count: number): NewOrder[] {
  return Array.from({ length: count }, () => ({
    orderId: newOrderId(store.warehouse.number, systemClock.now(), systemClock.entropy()),
    customerId: 'user',
    workflow: 'order',
    workflowVersion: 1,
    content: { symbol: 'abc', quantity: 3 },
    keys: [],
    bodyHash: null,
    routedBecause: null,
    unsettledHome: null,
  }));
}

/** Accepts so many orders of the default workflow, as a gateway would, and tells the nodes; their ids. */
export async function acceptOrders(store: Store, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let accepted = 0; accepted < count; accepted += ACCEPT_BATCH) {
    const orders = newOrders(store, Math.min(ACCEPT_BATCH, count - accepted));
    await store.acceptOrders(orders);
    ids.push(...orders.map(({ orderId }) => orderId));
  }
  await store.wakeNodes(count);
  return ids;
}

/** Waits until so many orders have completed, at next to no cost; rejects when nothing completes any more. */
export async function untilCompleted({ client }: BenchDatabase, count: number, lookEveryMs = LOOK_EVERY_MS): Promise<void> {
  let [completed, since] = [-1, performance.now()];
  for (;;) {
    const now = await countCompleted(client);
    if (now >= count) return;
    if (now !== completed) [completed, since] = [now, performance.now()];
    if (performance.now() - since > STUCK_AFTER_MS) throw new Error(`${completed} of ${count} orders completed, and then no more`);
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
}

/** Speed counts only when the work was right: rejects when the histories of a sample of these orders break an invariant. */
export async function checkHistories(store: Store, orderIds: readonly string[], allEnded = true): Promise<void> {
  const every = Math.ceil(orderIds.length / SAMPLE);
  const records = await readRecords(
    store,
    orderIds.filter((_, index) => index % every === 0),
  );
  const [first, ...others] = findViolations(records, { stepCountOf: () => STEP_NAMES.length, allEnded });
  if (first) throw new Error(`${first.invariant} order ${first.orderId}: ${first.message} (and ${others.length} more violations)`);
}
