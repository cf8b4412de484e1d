/**
 * The error catalogue. Each entry says how the outside sees it and what to do; `docs/errors.md` holds the same rows and a
 * test compares the two in both directions. `retry` tells a client whether the same request may succeed later.
 */
export const ERROR_CATALOGUE = {
  'invalid-request': {
    status: 400,
    title: 'The request is not valid',
    retry: false,
    advice: 'Correct the fields that `errors` names and send it again.',
  },
  'malformed-body': {
    status: 400,
    title: 'The body is not JSON',
    retry: false,
    advice: 'Send one JSON object in UTF-8, or no body at all.',
  },
  'invalid-order-id': {
    status: 400,
    title: 'This is no order id',
    retry: false,
    advice: 'Use the `order_id` from the answer to POST /orders; it is a UUID.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'This is no cursor',
    retry: false,
    advice: 'Use `next_cursor` of the page before, unchanged, with the same filters.',
  },
  unauthorized: {
    status: 401,
    title: 'No valid token',
    retry: false,
    advice: 'Send `Authorization: Bearer TOKEN`; `conveyor token create` makes one.',
  },
  forbidden: { status: 403, title: 'Not allowed with this token', retry: false, advice: 'Use an operator token.' },
  'cross-site-request': {
    status: 403,
    title: 'Sent by a page of another site',
    retry: false,
    advice: 'Call it directly, with curl or a program, not from a page.',
  },
  'not-found': { status: 404, title: 'Not found', retry: false, advice: 'Check the address; /docs lists all routes.' },
  'order-not-found': {
    status: 404,
    title: 'No such order',
    retry: false,
    advice: 'Check the id and that the token is that of the customer who placed the order.',
  },
  'node-not-found': {
    status: 404,
    title: 'No such node',
    retry: false,
    advice: 'Use the `node_id` that GET /diagnostic/cluster shows.',
  },
  'warehouse-not-found': {
    status: 404,
    title: 'No such warehouse',
    retry: false,
    advice: 'Use a name that GET /warehouses shows.',
  },
  'webhook-not-found': {
    status: 404,
    title: 'No such webhook or delivery',
    retry: false,
    advice: 'Use an id that GET /webhooks, or its deliveries, show.',
  },
  'conflict-not-found': {
    status: 404,
    title: 'No such open conflict',
    retry: false,
    advice: 'Use the id of an open one that GET /conflicts shows.',
  },
  'bulk-not-found': {
    status: 404,
    title: 'No such bulk operation',
    retry: false,
    advice: 'Use a `bulk_id` that GET /orders/bulk shows; those that ended are kept for 90 days.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    retry: false,
    advice: 'Use one of the methods that the `Allow` header names.',
  },
  'order-state-conflict': {
    status: 409,
    title: "The order's state forbids this",
    retry: false,
    advice: 'Read the order: `detail` says which state it is in.',
  },
  'node-not-running': {
    status: 409,
    title: 'The node is not running',
    retry: false,
    advice: 'Nothing has to be done: its orders went on elsewhere. GET /diagnostic/cluster shows when it ended.',
  },
  'incompatible-node': {
    status: 409,
    title: 'The node does not fit the cluster',
    retry: false,
    advice: 'Run the same version of Conveyor, with the same workflows, on the node as on the gateways.',
  },
  'body-too-large': { status: 413, title: 'The body is too large', retry: false, advice: 'Send at most 256 KiB.' },
  'uri-too-long': { status: 414, title: 'The address is too long', retry: false, advice: 'Shorten the path or the query.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Content type or encoding not supported',
    retry: false,
    advice: 'Send application/json, not compressed.',
  },
  'host-not-allowed': {
    status: 421,
    title: 'This host name is not served here',
    retry: false,
    advice: 'A development start answers only to localhost; use that, or start with --host and real tokens.',
  },
  'idempotency-mismatch': {
    status: 422,
    title: 'The key was used for another order',
    retry: false,
    advice: 'Use a new key for a new order, or send the same body as the first time.',
  },
  'header-fields-too-large': {
    status: 431,
    title: 'The header is too large',
    retry: false,
    advice: 'Send at most 16 KiB of header fields.',
  },
  internal: {
    status: 500,
    title: 'Something went wrong here',
    retry: true,
    advice: 'Try again with the same Idempotency-Key; an operator finds the cause in the log by `request_id`.',
  },
  overloaded: {
    status: 503,
    title: 'Too many requests are waiting',
    retry: true,
    advice: 'Wait as long as `Retry-After` says and send it again with the same Idempotency-Key.',
  },
  'warehouse-unavailable': {
    status: 503,
    title: 'The warehouse does not answer',
    retry: true,
    advice: 'Wait as long as `Retry-After` says and send it again with the same Idempotency-Key.',
  },
  'node-stuck': {
    status: 503,
    title: "The node's loop stands still",
    retry: true,
    advice: 'Look into its log; if it does not recover, stop it: its orders go on elsewhere.',
  },
  'shutting-down': {
    status: 503,
    title: 'This gateway is stopping',
    retry: true,
    advice: 'Send it again, to another gateway or in a few seconds.',
  },
} as const satisfies Record<string, { status: number; title: string; retry: boolean; advice: string }>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** What is wrong with one field: a JSON Pointer into the body, or the name of a parameter. */
export interface FieldFault {
  field: string;
  reason: string;
}

/** An expected failure with its place in the catalogue. `detail` says what was found and what was expected. */
export class ConveyorError extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly FieldFault[];
  /** Seconds after which a new try makes sense; sent as `Retry-After`. */
  readonly retryAfterS: number | undefined;

  constructor(code: ErrorCode, detail: string, options: { faults?: readonly FieldFault[]; retryAfterS?: number; cause?: unknown } = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ConveyorError';
    this.code = code;
    this.faults = options.faults ?? [];
    this.retryAfterS = options.retryAfterS ?? (ERROR_CATALOGUE[code].retry && ERROR_CATALOGUE[code].status === 503 ? 1 : undefined);
  }
}

/** The warehouse could not even be asked: what was wanted of it has not happened, and may be tried elsewhere. */
export class WarehouseAway extends ConveyorError {
  readonly reason: string;

  constructor(warehouse: string, reason: string, options: { cause?: unknown } = {}) {
    super('warehouse-unavailable', `warehouse ${warehouse} is away (${reason})`, options);
    this.name = 'WarehouseAway';
    this.reason = reason;
  }
}

/** A text for any thrown value, whatever it is; never throws itself. */
export function messageOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.message || thrown.name;
    return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
  } catch {
    return 'a value that cannot be shown was thrown';
  }
}
