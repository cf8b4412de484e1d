import { Readable } from 'node:stream';
import { ConveyorError } from '#domain/errors.ts';
import type { OrderPageJson, OrderSummaryJson } from './api.ts';
import { csvLine } from './csv.ts';

/** The columns of the table, in their order: each a field of an order as the list shows it. */
const COLUMNS = [
  ...['order_id', 'client_order_id', 'tracking_id', 'status', 'current_step', 'start_time', 'complete_time', 'warehouse', 'region'],
  ...['customer_name', 'symbol', 'quantity', 'execution_price', 'node_id', 'retry_of', 'routed_because', 'waiting_because', 'timestamp'],
  ...['workflow', 'workflow_version', 'detail', 'items', 'metadata'],
] as (keyof OrderSummaryJson)[];

/**
 * All orders of a list as a table, read page by page as fast as whoever asked takes them. The first page is read before this resolves,
 * so a refusal is still an answer of its own. A table in which orders are missing would look complete: when a warehouse is away there
 * is none, and when it goes away later the table breaks off in the middle of the answer.
 */
export async function exportOrders(
  readPage: (cursor: string | undefined) => Promise<OrderPageJson>,
  signal: AbortSignal,
): Promise<Readable> {
  const first = await readWholePage(readPage, undefined);
  const fault = new ConveyorError('shutting-down', 'this gateway is stopping: the table would not be complete');
  if (signal.aborted) throw fault;
  const stream = Readable.from(linesOf(first, readPage), { objectMode: false, highWaterMark: 64 * 1024 });
  const end = (): void => void stream.destroy(fault);
  signal.addEventListener('abort', end, { once: true });
  stream.once('close', () => signal.removeEventListener('abort', end));
  return stream;
}

async function* linesOf(first: OrderPageJson, readPage: (cursor: string | undefined) => Promise<OrderPageJson>): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  let page = first;
  for (;;) {
    // A text in one piece: a page is the most that is held.
    yield page.orders.map((order) => csvLine(COLUMNS.map((column) => textOf(order[column])))).join('');
    if (page.next_cursor === undefined) return;
    page = await readWholePage(readPage, page.next_cursor);
  }
}

async function readWholePage(
  readPage: (cursor: string | undefined) => Promise<OrderPageJson>,
  cursor: string | undefined,
): Promise<OrderPageJson> {
  const page = await readPage(cursor);
  const { missing_warehouses: missing } = page;
  if (!missing) return page;
  throw new ConveyorError(
    'warehouse-unavailable',
    `${missing.join(', ')} did not answer: the table would not be complete; the others can be exported one by one, with warehouse=NAME`,
  );
}

/** Of a reason its word for programs; other objects as JSON. */
function textOf(value: OrderSummaryJson[keyof OrderSummaryJson]): string | number | undefined {
  if (typeof value !== 'object') return value;
  return 'code' in value && typeof value.code === 'string' ? value.code : JSON.stringify(value);
}
