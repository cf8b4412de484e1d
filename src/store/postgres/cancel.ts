import { type Direction, type OrderState, publicStatus } from '#domain/order-state.ts';
import type { CancelRequest, CancelVerdict } from '#engine/store.ts';
import type { Connection, Statement } from './connect.ts';

const CANCEL_ORDER: Statement = {
  name: 'cancel_order',
  text: 'select outcome, found_state, found_direction from cancel_order($1, $2, $3)',
};

interface CancelRow {
  /** `moved`: it was claimed or handed back in between. */
  outcome: CancelVerdict['outcome'] | 'moved';
  found_state: OrderState;
  found_direction: Direction;
}

export async function cancelOrder(connection: Connection, request: CancelRequest): Promise<CancelVerdict> {
  const author = { actor: request.actor, ...(request.reason === undefined ? {} : { reason: request.reason }) };
  const values = [request.orderId, request.customerId ?? null, JSON.stringify(author)];
  for (;;) {
    const [row] = await connection.run<CancelRow>(CANCEL_ORDER, values);
    const { outcome, found_state, found_direction } = row as CancelRow;
    if (outcome === 'refused') return { outcome, status: publicStatus(found_state, found_direction) };
    if (outcome !== 'moved') return { outcome };
  }
}
