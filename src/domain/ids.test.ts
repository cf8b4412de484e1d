import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  firstIdAt,
  idsBeginningWith,
  isUuid,
  MAX_WAREHOUSE_NUMBER,
  momentOfId,
  newOrderId,
  warehouseNumber,
  warehouseOfId,
} from './ids.ts';

const warehouse = fc.integer({ min: 0, max: MAX_WAREHOUSE_NUMBER });
const moment = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const entropy = fc.uint8Array({ minLength: 8, maxLength: 8 });

describe('an order id', () => {
  it('is a UUID of version 7 and the standard variant, in small letters', () => {
    fc.assert(
      fc.property(warehouse, moment, entropy, (number, at, random) => {
        const id = newOrderId(number, at, random);
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(isUuid(id)).toBe(true);
      }),
    );
  });

  it('carries its moment and the number of its warehouse', () => {
    fc.assert(
      fc.property(warehouse, moment, entropy, (number, at, random) => {
        const id = newOrderId(number, at, random);
        expect(warehouseOfId(id)).toBe(number);
        expect(momentOfId(id)).toBe(at);
      }),
    );
  });

  it('lies within the range of every beginning of it, and in none of another', () => {
    fc.assert(
      fc.property(warehouse, moment, entropy, fc.integer({ min: 1, max: 32 }), (number, at, random, length) => {
        const id = newOrderId(number, at, random);
        const digits = id.replaceAll('-', '').slice(0, length);
        const { first, last } = idsBeginningWith(digits.toUpperCase());
        expect([isUuid(first), isUuid(last), first <= id, id <= last]).toEqual([true, true, true, true]);
        const other = idsBeginningWith(`${digits.slice(0, -1)}${digits.endsWith('0') ? '1' : '0'}`);
        expect(other.first <= id && id <= other.last).toBe(false);
      }),
    );
  });

  it('sorts by its moment, whatever the rest', () => {
    fc.assert(
      fc.property(fc.tuple(warehouse, moment, entropy), fc.tuple(warehouse, moment, entropy), (one, other) => {
        fc.pre(one[1] < other[1]);
        expect(newOrderId(...one) < newOrderId(...other)).toBe(true);
      }),
    );
  });

  it('keeps sixty bits of chance: every other entropy gives another id', () => {
    fc.assert(
      fc.property(warehouse, moment, entropy, fc.nat(7), fc.integer({ min: 1, max: 255 }), (number, at, random, place, flip) => {
        fc.pre(place > 0 || (flip & 0x0f) !== 0);
        const other = random.map((byte, index) => (index === place ? byte ^ flip : byte));
        expect(newOrderId(number, at, other)).not.toBe(newOrderId(number, at, random));
      }),
    );
  });

  it('is not less than the first id of its moment, and less than that of the next', () => {
    fc.assert(
      fc.property(warehouse, fc.integer({ min: 0, max: 2 ** 48 - 2 }), entropy, (number, at, random) => {
        const id = newOrderId(number, at, random);
        expect(id >= firstIdAt(at)).toBe(true);
        expect(id < firstIdAt(at + 1)).toBe(true);
        expect(isUuid(firstIdAt(at))).toBe(true);
      }),
    );
    expect(firstIdAt(-1)).toBe(firstIdAt(0));
  });

  it.each([
    '',
    'x',
    '01a1fc2d-d5f2-7127-8001-4121ae4b6d6',
    ' 01a1fc2d-d5f2-7127-8001-4121ae4b6d64',
    '01a1fc2d-d5f2-7127-8001-4121ae4b6d64\n',
    '01a1fc2dd5f2712780014121ae4b6d64',
  ])('is not %j', (text) => {
    expect(isUuid(text)).toBe(false);
  });
});

describe('the number of a warehouse', () => {
  it('fits in an id and follows from the name alone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (name) => {
        const number = warehouseNumber(name);
        expect(Number.isInteger(number) && number >= 0 && number <= MAX_WAREHOUSE_NUMBER).toBe(true);
        expect(warehouseNumber(name)).toBe(number);
      }),
    );
  });

  it('tells the default warehouses apart', () => {
    expect(new Set(['HCM', 'HN', 'DN'].map(warehouseNumber)).size).toBe(3);
  });
});
