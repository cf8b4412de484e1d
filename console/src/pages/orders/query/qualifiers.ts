import { MAX_LENGTHS } from '#domain/order-limits.ts';
import { ORDER_STATUSES } from '#domain/order-state.ts';
import { momentOf } from './when.ts';

/** By what orders are searched: the words before the colon, in the order in which they are printed. */

export type QualifierName =
  | 'status'
  | 'id'
  | 'tracking'
  | 'customer'
  | 'symbol'
  | 'region'
  | 'warehouse'
  | 'step'
  | 'node'
  | 'since'
  | 'until';

type Verdict = { value: string; fault?: undefined } | { fault: string };

interface Qualifier {
  /** What `GET /orders` calls it. */
  parameter: string;
  says: string;
  example: string;
  /** A typed value as it is asked for, or what is wrong with it. */
  read: (value: string) => Verdict;
}

export const QUALIFIERS: Readonly<Record<QualifierName, Qualifier>> = {
  status: { parameter: 'status', says: 'where an order stands', example: 'status:failed', read: readStatus },
  id: { parameter: 'id', says: 'the beginning of an order id', example: 'id:0199f3c2', read: readId },
  tracking: {
    parameter: 'tracking_id',
    says: 'the customer’s tracking id, whole',
    example: 'tracking:T-1001',
    read: text('tracking', MAX_LENGTHS.tracking_id),
  },
  customer: {
    parameter: 'customer_name',
    says: 'the customer’s name, whole',
    example: 'customer:"An Nguyễn"',
    read: text('customer', MAX_LENGTHS.customer_name),
  },
  symbol: { parameter: 'symbol', says: 'what was ordered', example: 'symbol:abc', read: text('symbol', MAX_LENGTHS.symbol) },
  region: { parameter: 'region', says: 'the region the order names', example: 'region:HN', read: text('region', MAX_LENGTHS.region) },
  warehouse: { parameter: 'warehouse', says: 'the warehouse that has the order', example: 'warehouse:HCM', read: text('warehouse', 32) },
  step: { parameter: 'step', says: 'the present step of an open order', example: 'step:Processing', read: text('step', 64) },
  node: { parameter: 'node', says: 'the node that works the order', example: 'node:…, chosen by its name', read: readNode },
  since: { parameter: 'since', says: 'accepted at or after', example: 'since:1h', read: readWhen('since') },
  until: { parameter: 'until', says: 'accepted before', example: 'until:2026-11-21', read: readWhen('until') },
};

/** The qualifier of that name, or of the name that the API has for it. */
export function qualifierOf(name: string): QualifierName | undefined {
  if (Object.hasOwn(QUALIFIERS, name)) return name as QualifierName;
  return (Object.keys(QUALIFIERS) as QualifierName[]).find((each) => QUALIFIERS[each].parameter === name);
}

/** What people say for a status. */
const STATUS_WORDS: Readonly<Record<string, string>> = {
  running: 'processing',
  waiting: 'queued',
  canceled: 'cancelled',
  attention: 'needs_attention',
};

function readStatus(value: string): Verdict {
  const word = value.toLowerCase().replaceAll(/[\s-]/g, '_');
  const status = STATUS_WORDS[word] ?? word;
  if ((ORDER_STATUSES as readonly string[]).includes(status)) return { value: status };
  return { fault: `No order has the status “${value}”. Known are ${ORDER_STATUSES.join(', ')}.` };
}

const UUID_SHAPE = '00000000-0000-0000-0000-000000000000';

/** Whether an order id can begin so: at least 4 hexadecimal digits, with the dashes of a UUID or without any. */
export function isIdBeginning(value: string): boolean {
  if (!/^[0-9a-f-]+$/i.test(value)) return false;
  const digits = value.replaceAll('-', '').length;
  if (digits < 4 || digits > 32) return false;
  return !value.includes('-') || UUID_SHAPE.startsWith(value.replaceAll(/[0-9a-f]/gi, '0'));
}

function readId(value: string): Verdict {
  if (isIdBeginning(value)) return { value: value.toLowerCase() };
  return {
    fault: `“${value}” is not the beginning of an order id: at least 4 of its hexadecimal digits are expected, such as 0199f3c2-8d.`,
  };
}

function readNode(value: string): Verdict {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) return { value: value.toLowerCase() };
  return { fault: `“${value}” is not the id of a node. Type node: and choose one by its name.` };
}

function readWhen(name: string): (value: string) => Verdict {
  return (value) => {
    if (!Number.isNaN(momentOf(value, Date.now()))) return { value };
    return {
      fault: `${name} is “${value}”; a span such as 15m, 1h or 7d is expected, or a moment such as 2026-11-21 or 2026-11-21T10:00:00Z.`,
    };
  };
}

function text(name: string, longest: number): (value: string) => Verdict {
  return (value) => {
    const length = [...value].length;
    if (length >= 1 && length <= longest) return { value };
    return {
      fault: length === 0 ? `${name} is empty; no order is found so.` : `${name} has ${length} characters; ${longest} are possible.`,
    };
  };
}
