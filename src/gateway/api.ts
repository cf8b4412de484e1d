import { type Static, Type } from 'typebox';
import { ERROR_CATALOGUE, type ErrorCode } from '#domain/errors.ts';
import { MAX_DETAIL_BYTES, MAX_ITEMS, MAX_LENGTHS, MAX_QUANTITY, OWN_ORDER_ID, UNIT_PRICE } from '#domain/order-limits.ts';
import { ORDER_STATUSES, type OrderStatus } from '#domain/order-state.ts';

/** The wire, as schemas: validation, serialisation and the OpenAPI document all come from here. */

export const DEFAULT_PAGE = 50;
export const MAX_PAGE = 200;

export const Time = Type.String({ description: 'RFC 3339 in UTC with milliseconds' });

/** What the query of every list has. */
export const pageQuery = {
  limit: Type.Optional(Type.String({ pattern: '^[0-9]{1,3}$', description: `1 to ${MAX_PAGE}, default ${DEFAULT_PAGE}` })),
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
};

/** What the answer of every list has besides its entries. */
export const aboutPage = {
  has_more: Type.Boolean(),
  next_cursor: Type.Optional(Type.String()),
  missing_warehouses: Type.Optional(Type.Array(Type.String(), { description: 'warehouses that did not answer' })),
};

const Status = Type.Unsafe<OrderStatus>({ type: 'string', enum: [...ORDER_STATUSES] });
const Because = Type.Object({ code: Type.String(), message: Type.String(), until: Type.Optional(Time) });

const Item = Type.Object(
  {
    sku: Type.String({ minLength: 1, maxLength: MAX_LENGTHS.sku }),
    quantity: Type.Integer({ minimum: 1, maximum: MAX_QUANTITY }),
    unit_price: Type.Optional(Type.String({ pattern: UNIT_PRICE.source, description: 'a decimal number as text' })),
  },
  { additionalProperties: false },
);

export const OrderBody = Type.Object(
  {
    customer_name: Type.Optional(Type.String({ maxLength: MAX_LENGTHS.customer_name })),
    region: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LENGTHS.region })),
    symbol: Type.Optional(Type.String({ maxLength: MAX_LENGTHS.symbol })),
    quantity: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, description: 'default 1' })),
    detail: Type.Optional(Type.String({ maxLength: MAX_DETAIL_BYTES })),
    items: Type.Optional(Type.Array(Item, { maxItems: MAX_ITEMS })),
    tracking_id: Type.Optional(
      Type.String({ minLength: 1, maxLength: MAX_LENGTHS.tracking_id, description: 'an idempotency key of the customer' }),
    ),
    order_id: Type.Optional(Type.String({ pattern: OWN_ORDER_ID.source, description: "the client's own id" })),
    timestamp: Type.Optional(Type.String({ maxLength: 40, description: 'RFC 3339, or ISO 8601 without a zone' })),
    metadata: Type.Optional(Type.Object({}, { additionalProperties: true, description: 'at most 16 KiB' })),
  },
  { additionalProperties: false },
);

export const AcceptedOrder = Type.Object({
  order_id: Type.String(),
  client_order_id: Type.Optional(Type.String()),
  status: Status,
  current_step: Type.String(),
  start_time: Time,
  region: Type.Optional(Type.String()),
  warehouse: Type.String(),
  routed_because: Because,
});

const StepView = Type.Object({
  step_name: Type.String(),
  step_start_time: Time,
  step_complete_time: Type.Optional(Time),
  attempt: Type.Optional(Type.Integer()),
  node_id: Type.Optional(Type.String()),
  rollback_time: Type.Optional(Time),
  error: Type.Optional(Type.Object({ code: Type.String(), message: Type.String() })),
});

const summary = {
  order_id: Type.String(),
  client_order_id: Type.Optional(Type.String()),
  status: Status,
  current_step: Type.String(),
  start_time: Time,
  complete_time: Type.Optional(Time),
  customer_name: Type.Optional(Type.String()),
  region: Type.Optional(Type.String()),
  warehouse: Type.String(),
  workflow: Type.String(),
  workflow_version: Type.Integer(),
  symbol: Type.Optional(Type.String()),
  quantity: Type.Integer(),
  tracking_id: Type.Optional(Type.String()),
  timestamp: Type.Optional(Type.String()),
  node_id: Type.Optional(Type.String()),
  retry_of: Type.Optional(Type.String({ description: 'the order whose content this one repeats' })),
  execution_price: Type.Optional(Type.String({ description: 'a decimal number as text, once Processing has computed it' })),
  routed_because: Type.Optional(Because),
  waiting_because: Type.Optional(Because),
  detail: Type.Optional(Type.String()),
  items: Type.Optional(Type.Array(Item)),
  metadata: Type.Optional(Type.Object({}, { additionalProperties: true })),
};

export const OrderSummary = Type.Object(summary);
export const OrderView = Type.Object({ ...summary, steps: Type.Array(StepView) });

export const OrderPage = Type.Object({
  orders: Type.Array(Type.Object({ ...summary, steps: Type.Optional(Type.Array(StepView)) })),
  ...aboutPage,
});

/** What orders can be selected by, in a query as in a body. All that are given must hold. */
export const orderCriteria = {
  status: Type.Optional(Status),
  step: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'the present step of an open order' })),
  region: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LENGTHS.region })),
  warehouse: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  node: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F-]{36}$', description: 'the id of the node that works the order' })),
  customer_name: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LENGTHS.customer_name })),
  symbol: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LENGTHS.symbol })),
  tracking_id: Type.Optional(Type.String({ minLength: 1, maxLength: MAX_LENGTHS.tracking_id })),
  id: Type.Optional(
    Type.String({ maxLength: 36, description: 'the beginning of the order id, at least 4 digits; dashes may be left out' }),
  ),
  since: Type.Optional(Type.String({ maxLength: 40, description: 'accepted at or after; RFC 3339' })),
  until: Type.Optional(Type.String({ maxLength: 40, description: 'accepted before; RFC 3339' })),
};

const OrderCriteria = Type.Object(orderCriteria);

export const ListQuery = Type.Object(
  {
    ...orderCriteria,
    ...pageQuery,
    include: Type.Optional(Type.Unsafe<'steps'>({ type: 'string', enum: ['steps'], description: 'steps: each order with its steps' })),
    format: Type.Optional(
      Type.Unsafe<'json' | 'csv'>({
        type: 'string',
        enum: ['json', 'csv'],
        description: 'csv: a file of all orders that match, not a page',
      }),
    ),
  },
  { additionalProperties: false },
);

export const EventView = Type.Object({
  version: Type.Integer(),
  kind: Type.String(),
  step_name: Type.Optional(Type.String()),
  direction: Type.String(),
  at: Time,
  node_id: Type.Optional(Type.String()),
  session: Type.Optional(Type.Integer()),
  fence: Type.Integer(),
  data: Type.Optional(Type.Unknown()),
});

export const EventList = Type.Object({ order_id: Type.String(), events: Type.Array(EventView) });

export const OrderParams = Type.Object({ id: Type.String() });
export const NoQuery = Type.Object({}, { additionalProperties: false });

export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.String(),
  advice: Type.String(),
  request_id: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), reason: Type.String() }))),
});

export type OrderViewJson = Static<typeof OrderView>;
export type OrderPageJson = Static<typeof OrderPage>;
export type OrderSummaryJson = Static<typeof OrderSummary>;
export type AcceptedOrderJson = Static<typeof AcceptedOrder>;
export type EventJson = Static<typeof EventView>;
export type OrderCriteriaJson = Static<typeof OrderCriteria>;
export type ListQueryJson = Static<typeof ListQuery>;
export type ProblemJson = Static<typeof Problem>;

/** The answers of a route: its own, and a problem for every status its error codes have. */
export function responses<Own extends Record<number, unknown>>(own: Own, codes: readonly ErrorCode[]): Record<number, unknown> {
  const problems = codes.map((code) => [
    ERROR_CATALOGUE[code].status,
    { description: ERROR_CATALOGUE[code].title, content: { 'application/problem+json': { schema: Problem } } },
  ]);
  return { ...Object.fromEntries(problems), ...own };
}
