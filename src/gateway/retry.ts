import { ConveyorError, messageOf } from '#domain/errors.ts';
import { newOrderId } from '#domain/ids.ts';
import type { OrderRecord } from '#domain/order.ts';
import type { RetryVerdict } from '#engine/operation-store.ts';
import type { Author, Store } from '#engine/store.ts';
import type { GatewayContext } from './context.ts';
import type { Warehouse } from './warehouses/warehouses.ts';

type Needed = Pick<GatewayContext, 'registry' | 'clock' | 'log'>;

/** Places the order's content again, with the newest version of its workflow. `customerId`: another's order is unknown. */
export async function retryOrder(
  context: Needed,
  { store, number }: Warehouse,
  { order }: OrderRecord,
  { customerId, ...author }: Author & { customerId: string | undefined },
): Promise<RetryVerdict> {
  const { name, version } = latestOf(context, order.workflow);
  const { clock } = context;
  const verdict = await store.operations.retryOrder({
    orderId: order.orderId,
    newOrderId: newOrderId(number, clock.now(), clock.entropy()),
    customerId,
    workflow: name,
    workflowVersion: version,
    ...author,
  });
  if (verdict.outcome === 'created') wakeOne(context, store);
  return verdict;
}

function latestOf({ registry }: Needed, name: string): { name: string; version: number } {
  try {
    return registry.latest(name);
  } catch (error) {
    throw new ConveyorError('order-state-conflict', `its workflow cannot be begun again here: ${messageOf(error)}`);
  }
}

export function wakeOne({ log }: Pick<Needed, 'log'>, store: Store): void {
  store
    .wakeNodes(1)
    .catch((error: unknown) => log.debug({ error: messageOf(error) }, 'a hint was lost; the nodes find the work themselves'));
}
