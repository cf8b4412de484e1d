import type { OrderRecord } from '#domain/order.ts';
import { isEnded } from '#domain/order-state.ts';
import { findViolations } from '#engine/history-check.ts';
import type { Store } from '#engine/store.ts';

export interface DemoVerdict {
  accepted: number;
  completed: number;
  failed: number;
  lost: number;
  handed_over: number;
  fenced_writes: number;
  takeover_s: number | null;
  violations: string[];
  verdict: 'passed' | 'failed';
}

const READ_BATCH = 200;

export async function readAll(store: Store, orderIds: readonly string[]): Promise<OrderRecord[]> {
  const records: OrderRecord[] = [];
  for (let from = 0; from < orderIds.length; from += READ_BATCH) {
    const found = await store.readOrders(orderIds.slice(from, from + READ_BATCH));
    records.push(...found.filter((record) => record !== undefined));
  }
  return records;
}

/** From the complete histories of all orders: what was lost, done twice, or out of order. */
export async function judgeDemo(
  store: Store,
  orderIds: readonly string[],
  stepCount: number,
  takeoverS: number | undefined,
): Promise<DemoVerdict> {
  const records = await readAll(store, orderIds);
  const lost = orderIds.length - records.filter(({ order }) => isEnded(order.state)).length;
  const violations = findViolations(records, { stepCountOf: () => stepCount, allEnded: true }).map(
    ({ invariant, orderId, message }) => `${invariant} order ${orderId}: ${message}`,
  );
  const { sessions } = await store.operations.readCluster();
  const count = (state: string): number => records.filter(({ order }) => order.state === state).length;
  return {
    accepted: orderIds.length,
    ...{ completed: count('completed'), failed: count('failed'), lost },
    handed_over: records.filter(({ events }) => events.some(({ kind }) => kind === 'handed_over')).length,
    fenced_writes: sessions.reduce((sum, { counts }) => sum + counts.fencedWrites, 0),
    takeover_s: takeoverS ?? null,
    violations,
    verdict: lost === 0 && violations.length === 0 ? 'passed' : 'failed',
  };
}
