import { describe, expect, it } from 'vitest';
import { ConveyorError } from '#domain/errors.ts';
import type { OrderContent } from '#domain/order.ts';
import { checkContent, isTime, parseTime } from './content.ts';

/** The field that is refused. */
function refusedField(content: OrderContent): string | undefined {
  try {
    checkContent(content);
    return undefined;
  } catch (error) {
    return (error as ConveyorError).faults[0]?.field;
  }
}

describe('checkContent', () => {
  it('counts bytes, not characters', () => {
    expect(refusedField({ detail: 'x'.repeat(65_536) })).toBeUndefined();
    expect(refusedField({ detail: 'é'.repeat(32_769) })).toBe('/detail');
    expect(refusedField({ metadata: { a: 'x'.repeat(16_376) } })).toBeUndefined();
    expect(refusedField({ metadata: { a: 'x'.repeat(16_377) } })).toBe('/metadata');
  });

  it('refuses what jsonb cannot hold, wherever it is', () => {
    expect(refusedField({ customer_name: 'a\u0000' })).toBe('/customer_name');
    expect(refusedField({ items: [{ sku: '\ud800', quantity: 1 }] })).toBe('/items/0/sku');
    expect(refusedField({ metadata: { a: [Number.POSITIVE_INFINITY] } })).toBe('/metadata/a/0');
  });

  it('refuses a timestamp that the calendar does not have', () => {
    expect(refusedField({ timestamp: '2024-02-29T00:00:00Z' })).toBeUndefined();
    expect(refusedField({ timestamp: '2026-02-29T00:00:00Z' })).toBe('/timestamp');
  });
});

const TIMES = ['2026-01-02T03:04:05Z', '2026-01-02t03:04:05.123456789z', '2026-01-02 03:04', '2026-01-02T03:04:05-07:00'];
const NO_TIMES = ['', '2026', '2026-01-02', '2026-01-02T24:00:00Z', '2026-04-31T00:00:00Z', '2026-01-02T03:04:05+99:99'];

describe('isTime', () => {
  it.each(TIMES)('knows %s', (text) => expect(isTime(text)).toBe(true));
  it.each(NO_TIMES)('refuses "%s"', (text) => expect(isTime(text)).toBe(false));
});

describe('parseTime', () => {
  it('takes a time without a zone for UTC', () => {
    expect(parseTime('since', '2026-01-02T03:04:05')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(parseTime('since', '2026-01-02T03:04:05+07:00')).toBe(Date.UTC(2026, 0, 1, 20, 4, 5));
    expect(parseTime('since', undefined)).toBeUndefined();
  });

  it('stays within the years that the database can write', () => {
    expect(parseTime('since', '0000-01-01T00:00:00Z')).toBe(0);
    expect(parseTime('until', '9999-12-31T23:59:59-23:59')).toBe(Date.UTC(9999, 11, 31));
  });

  it('names the parameter that it refuses', () => {
    expect(() => parseTime('until', 'soon')).toThrow(ConveyorError);
    expect(() => parseTime('until', 'soon')).toThrow(/^until is no time/);
  });
});
