import { ConveyorError } from '#domain/errors.ts';
import { findJsonFault } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import { MAX_DETAIL_BYTES, MAX_METADATA_BYTES } from '#domain/order-limits.ts';

const ISO_TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?(?:[Zz]|[+-](\d{2}):(\d{2}))?$/;
/** No order is older or younger; beyond these years PostgreSQL and JavaScript write times differently. */
const LATEST_MS = Date.UTC(9999, 11, 31);

/** What a schema cannot say about an order: bytes, storable text, and times that exist. */
export function checkContent(content: OrderContent): void {
  const fault = findJsonFault(content);
  if (fault) refuse(fault.path, fault.reason);
  if (content.detail !== undefined && Buffer.byteLength(content.detail) > MAX_DETAIL_BYTES)
    refuse('/detail', `has more than ${MAX_DETAIL_BYTES} bytes`);
  if (content.metadata !== undefined && Buffer.byteLength(JSON.stringify(content.metadata)) > MAX_METADATA_BYTES) {
    refuse('/metadata', `has more than ${MAX_METADATA_BYTES} bytes of JSON`);
  }
  if (content.timestamp !== undefined && !isTime(content.timestamp))
    refuse('/timestamp', 'is no time that exists; RFC 3339 or ISO 8601 is expected');
}

/** Whether the text is a moment in RFC 3339 or in ISO 8601 without a zone, and the calendar has it. */
export function isTime(text: string): boolean {
  const match = ISO_TIME.exec(text);
  if (!match) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 60 || zoneHour > 23 || zoneMinute > 59) return false;
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** A moment of a query, as epoch milliseconds from 1970 to 9999; without a zone it is UTC. */
export function parseTime(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const at = isTime(text) ? Date.parse(/([Zz]|[+-]\d{2}:\d{2})$/.test(text) ? text : `${text}Z`) : Number.NaN;
  if (Number.isNaN(at)) refuse(name, 'is no time that exists; RFC 3339 is expected');
  return Math.min(Math.max(at, 0), LATEST_MS);
}

function refuse(field: string, reason: string): never {
  throw new ConveyorError('invalid-request', `${field} ${reason}`, { faults: [{ field, reason }] });
}
