import { findJsonFault, type Json, textFault } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import {
  MAX_BODY_BYTES,
  MAX_DETAIL_BYTES,
  MAX_ITEMS,
  MAX_LENGTHS,
  MAX_METADATA_BYTES,
  MAX_QUANTITY,
  OWN_ORDER_ID,
  UNIT_PRICE,
} from '#domain/order-limits.ts';
import { formatCount } from '../../format.ts';
import type { Draft, DraftItem } from './draft.ts';

/** What the gateway would refuse, found while it is typed. Pure. */

const COUNT_FAULT = `must be a whole number from 1 to ${formatCount(MAX_QUANTITY)}`;

/** By field, as the gateway names them in its problems: `/customer_name`, `/items/0/sku`; `/` is the whole. */
export type Faults = Readonly<Record<string, string>>;

/** What is sent, and what is wrong with it; what is wrong is left out of the content. */
export interface CheckedDraft {
  content: OrderContent;
  faults: Faults;
}

export function checkDraft(draft: Draft): CheckedDraft {
  const faults: Record<string, string> = {};
  const given = <Value>(field: string, text: string, read: (text: string) => Value | Fault): Record<string, Value> => {
    if (text.trim() === '') return {};
    const value = read(text);
    if (!(value instanceof Fault)) return { [field]: value };
    faults[`/${field}`] = value.reason;
    return {};
  };
  const content: OrderContent = {
    ...given('customer_name', draft.customer_name, textUpTo(MAX_LENGTHS.customer_name)),
    ...given('region', draft.region, textUpTo(MAX_LENGTHS.region)),
    ...given('symbol', draft.symbol, textUpTo(MAX_LENGTHS.symbol)),
    ...given('quantity', draft.quantity, readCount),
    ...given('detail', draft.detail, readDetail),
    ...given('tracking_id', draft.tracking_id, textUpTo(MAX_LENGTHS.tracking_id)),
    ...given('order_id', draft.order_id, readOwnId),
    ...given('metadata', draft.metadata, readMetadata),
    ...readItems(draft.items, faults),
  };
  const bytes = bytesOf(JSON.stringify(content));
  if (bytes > MAX_BODY_BYTES) faults['/'] = `has ${formatCount(bytes)} bytes; the whole order may have ${formatCount(MAX_BODY_BYTES)}`;
  return { content, faults };
}

class Fault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

function textUpTo(max: number): (text: string) => string | Fault {
  return (text) => {
    const fault = textFault(text);
    if (fault) return new Fault(fault);
    // As the gateway counts: an emoji of one code point is one character.
    const length = [...text].length;
    return length > max ? new Fault(`has ${formatCount(length)} characters; at most ${max} are allowed`) : text;
  };
}

function readCount(text: string): number | Fault {
  const count = Number(text.trim());
  return /^[0-9]+$/.test(text.trim()) && count >= 1 && count <= MAX_QUANTITY ? count : new Fault(COUNT_FAULT);
}

function readDetail(text: string): string | Fault {
  const fault = textFault(text);
  if (fault) return new Fault(fault);
  const bytes = bytesOf(text);
  return bytes > MAX_DETAIL_BYTES
    ? new Fault(`has ${formatCount(bytes)} bytes; at most ${formatCount(MAX_DETAIL_BYTES)} are allowed`)
    : text;
}

function readOwnId(text: string): string | Fault {
  return OWN_ORDER_ID.test(text.trim()) ? text.trim() : new Fault('must be 1 to 64 of the characters A–Z a–z 0–9 . _ -');
}

function readMetadata(text: string): { [key: string]: Json } | Fault {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (error) {
    return new Fault(`is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Fault('must be an object, such as {"gift": true}');
  const fault = findJsonFault(value);
  if (fault) return new Fault(fault.path === '' ? fault.reason : `${fault.path} ${fault.reason}`);
  const bytes = bytesOf(JSON.stringify(value));
  return bytes > MAX_METADATA_BYTES
    ? new Fault(`has ${formatCount(bytes)} bytes of JSON; at most ${formatCount(MAX_METADATA_BYTES)} are allowed`)
    : value;
}

function readItems(items: readonly DraftItem[], faults: Record<string, string>): Pick<OrderContent, 'items'> {
  if (items.length === 0) return {};
  if (items.length > MAX_ITEMS) faults['/items'] = `has ${formatCount(items.length)} rows; at most ${formatCount(MAX_ITEMS)} are allowed`;
  const readSku = textUpTo(MAX_LENGTHS.sku);
  const read = <Value>(field: string, value: Value | Fault): Value | undefined => {
    if (!(value instanceof Fault)) return value;
    faults[field] = value.reason;
    return undefined;
  };
  return {
    items: items.map(({ sku, quantity, unit_price }, index) => {
      const price = unit_price.trim();
      const at = `/items/${index}`;
      return {
        sku: read(`${at}/sku`, sku.trim() === '' ? new Fault('is needed; remove the row if it is not meant') : readSku(sku)) ?? '',
        quantity: read(`${at}/quantity`, readCount(quantity)) ?? 1,
        ...(price === '' ? {} : { unit_price: read(`${at}/unit_price`, UNIT_PRICE.test(price) ? price : PRICE_FAULT) ?? '' }),
      };
    }),
  };
}

const PRICE_FAULT = new Fault('must be a number such as 12.50: up to 12 digits, then up to 6 after the point');

/** What of a problem belongs to fields of the form; the rest is said below it. */
export function faultsOf(errors: readonly { field: string; reason: string }[], draft: Draft): Faults {
  const fields = new Set([
    ...Object.keys(draft),
    ...draft.items.flatMap((_, index) => ITEM_FIELDS.map((name) => `items/${index}/${name}`)),
  ]);
  const named = errors.map(({ field, reason }) => ({ field: fieldIn(fields, field), reason }));
  return Object.fromEntries(named.filter(({ field }) => field !== undefined).map(({ field, reason }) => [`/${field}`, reason]));
}

const ITEM_FIELDS = ['sku', 'quantity', 'unit_price'];

/** A fault deep inside of metadata is one of metadata. */
function fieldIn(fields: ReadonlySet<string>, pointer: string): string | undefined {
  const path = pointer.slice(1).split('/');
  for (let length = path.length; length > 0; length -= 1) {
    const field = path.slice(0, length).join('/');
    if (fields.has(field)) return field;
  }
  return undefined;
}
