import type { OrderEvent, OrderRecord } from '#domain/order.ts';
import type { EventCursor } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';
import { type EventTuple, eventOf, historyOf, ORDER_COLUMNS, type OrderRow, orderOf } from './rows.ts';
import type { SessionNames } from './session-names.ts';
import type { WorkflowIds } from './workflow-ids.ts';

const READ_ORDERS: Statement = {
  name: 'read_orders',
  text: `
    select ${ORDER_COLUMNS}, ${historyOf('o.order_id')} as history
      from unnest($1::uuid[]) as i (order_id)
      join orders o on o.order_id = i.order_id`,
};

const READ_EVENTS_AFTER: Statement = {
  name: 'read_events_after',
  text: `
    select i.n, ${historyOf('i.order_id', 'i.after_version')} as history
      from unnest($1::uuid[], $2::int[]) with ordinality as i (order_id, after_version, n)`,
};

/** Reading orders with their histories. */
export class OrderReader {
  private readonly connection: Connection;
  private readonly workflowIds: WorkflowIds;
  private readonly sessionNames: SessionNames;

  constructor(connection: Connection, workflowIds: WorkflowIds, sessionNames: SessionNames) {
    this.connection = connection;
    this.workflowIds = workflowIds;
    this.sessionNames = sessionNames;
  }

  async readOrders(orderIds: string[]): Promise<(OrderRecord | undefined)[]> {
    const rows = await this.connection.run<OrderRow & { history: EventTuple[] }>(READ_ORDERS, [arrayOf([...new Set(orderIds)])]);
    const nodes = await this.sessionNames.of(rows.flatMap((row) => row.history.map((tuple) => tuple[4])));
    await this.workflowIds.learn(rows.map((row) => row.workflow_id));
    const records = new Map<string, OrderRecord>();
    for (const row of rows) {
      const order = orderOf(row, this.workflowIds.nameOf(row.workflow_id));
      records.set(row.order_id, { order, events: row.history.map((tuple) => eventOf(row.order_id, tuple)), nodes });
    }
    return orderIds.map((orderId) => records.get(orderId.toLowerCase()));
  }

  async readEventsAfter(cursors: EventCursor[]): Promise<OrderEvent[][]> {
    const rows = await this.connection.run<{ n: number; history: EventTuple[] | null }>(READ_EVENTS_AFTER, [
      arrayOf(cursors.map((cursor) => cursor.orderId)),
      arrayOf(cursors.map((cursor) => cursor.afterVersion)),
    ]);
    await this.sessionNames.of(rows.flatMap((row) => (row.history ?? []).map((tuple) => tuple[4])));
    const answers: OrderEvent[][] = cursors.map(() => []);
    for (const { n, history } of rows) {
      const { orderId } = cursors[n - 1] as EventCursor;
      answers[n - 1] = (history ?? []).map((tuple) => eventOf(orderId, tuple));
    }
    return answers;
  }
}
