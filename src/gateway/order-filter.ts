import { ConveyorError } from '#domain/errors.ts';
import { idsBeginningWith } from '#domain/ids.ts';
import { textFault } from '#domain/json.ts';
import type { OrderFilter } from '#engine/store.ts';
import type { OrderCriteriaJson } from './api.ts';
import type { Principal } from './auth.ts';
import { parseTime } from './content.ts';
import { nodeIdOf } from './node-id.ts';

/** What a list asks of each warehouse; `warehouse` itself says which ones are asked. Rejects what no order can have. */
export function filterOf(criteria: OrderCriteriaJson, principal: Principal): Omit<OrderFilter, 'limit'> {
  refuseUnstorableText(criteria);
  const given: { [Name in keyof OrderFilter]?: OrderFilter[Name] | undefined } = {
    customerId: principal.role === 'customer' ? principal.name : undefined,
    statuses: criteria.status === undefined ? undefined : [criteria.status],
    step: criteria.step,
    region: criteria.region,
    nodeId: criteria.node === undefined ? undefined : nodeIdOf(criteria.node, 'node'),
    customerName: criteria.customer_name,
    symbol: criteria.symbol,
    trackingId: criteria.tracking_id,
    idDigits: idDigitsOf(criteria.id),
    since: parseTime('since', criteria.since),
    until: parseTime('until', criteria.until),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Omit<OrderFilter, 'limit'>;
}

/** What no order can contain, PostgreSQL does not even compare. */
export function refuseUnstorableText(criteria: Readonly<Record<string, string>>): void {
  for (const [field, text] of Object.entries(criteria)) {
    const reason = textFault(text);
    if (reason) throw new ConveyorError('invalid-request', `${field} ${reason}`, { faults: [{ field, reason }] });
  }
}

/** Four digits stand for fifty days: with fewer everything would match. */
function idDigitsOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const digits = text.replaceAll('-', '').toLowerCase();
  const isDashed = text.includes('-');
  if (/^[0-9a-f]{4,32}$/.test(digits) && (!isDashed || idsBeginningWith(digits).first.startsWith(text.toLowerCase()))) return digits;
  throw new ConveyorError(
    'invalid-request',
    `id is ${JSON.stringify(text)}; the beginning of an order id is expected, such as 0199f3c2-8d`,
    {
      faults: [{ field: 'id', reason: 'must be the first 4 to 32 hexadecimal digits of a UUID, with its dashes or without any' }],
    },
  );
}
