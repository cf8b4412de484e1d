import type { EpochMs } from './time.ts';

/**
 * An order id is a UUIDv7 (RFC 9562) whose random part begins with the number of the order's warehouse, so that
 * a lookup goes straight to the right database:
 *
 *     unix_ms:48 | version 7:4 | random:12 | variant:2 | warehouse:14 | random:48
 *
 * Sixty random bits within a millisecond stay; ids sort by time, so new rows land at the end of every index.
 */
export const MAX_WAREHOUSE_NUMBER = 0x3fff;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/**
 * A new order id of the given warehouse (0 to 16,383) at the given moment.
 * `entropy` is eight bytes that nobody else gets (`Clock.entropy`).
 */
export function newOrderId(warehouse: number, at: EpochMs, entropy: Uint8Array): string {
  const high = Math.floor(at / 0x1_0000_0000);
  const low = at % 0x1_0000_0000;
  const random = (index: number): number => entropy[index] as number;
  const time = `${hex(high >>> 8)}${hex(high)}${hex(low >>> 24)}${hex(low >>> 16)}-${hex(low >>> 8)}${hex(low)}`;
  const version = hex(0x70 | (random(0) & 0x0f)) + hex(random(1));
  const shard = hex(0x80 | (warehouse >>> 8)) + hex(warehouse);
  const tail = hex(random(2)) + hex(random(3)) + hex(random(4)) + hex(random(5)) + hex(random(6)) + hex(random(7));
  return `${time}-${version}-${shard}-${tail}`;
}

function hex(value: number): string {
  return HEX[value & 0xff] as string;
}

/** Whether a text has the form of a UUID, of any version. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** The number of the warehouse that an order id carries. Only meaningful for ids made by `newOrderId`. */
export function warehouseOfId(orderId: string): number {
  return Number.parseInt(orderId.slice(19, 23), 16) & MAX_WAREHOUSE_NUMBER;
}

/** When an id of version 7 was made, by the clock of whoever made it. */
export function momentOfId(id: string): EpochMs {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** The smallest id that an order accepted at or after `at` can have: turns a moment into a place in the order of ids. */
export function firstIdAt(at: EpochMs): string {
  const digits = Math.max(0, at).toString(16).padStart(12, '0').slice(-12);
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7000-8000-000000000000`;
}

/** The smallest and the largest id that begin with these hexadecimal digits, dashes left out: turns a beginning into a range of ids. */
export function idsBeginningWith(digits: string): { first: string; last: string } {
  return { first: dashed(digits.padEnd(32, '0')), last: dashed(digits.padEnd(32, 'f')) };
}

function dashed(digits: string): string {
  return digits.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/**
 * The number of a warehouse, derived from its name (FNV-1a), so that whoever creates its database first needs to ask
 * nobody. It is stored with the database; two warehouses whose numbers meet are refused when they are opened together.
 */
export function warehouseNumber(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return (hash ^ (hash >>> 14) ^ (hash >>> 28)) & MAX_WAREHOUSE_NUMBER;
}
