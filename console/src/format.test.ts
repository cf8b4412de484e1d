import { describe, expect, it } from 'vitest';
import { countOf, formatJson, formatPrice } from './format.ts';

describe('a price', () => {
  it('is rounded to hundredths, whatever its size', () => {
    expect(formatPrice('8.404555')).toMatch(/^8[.,]40$/);
    expect(formatPrice('0')).toMatch(/^0[.,]00$/);
    expect(formatPrice('12345678901234567890.995').replaceAll(/\D/g, '')).toBe('1234567890123456789100');
  });
});

describe('a count', () => {
  it('is of one or of several', () => {
    expect([0, 1, 2].map((count) => countOf(count, 'order'))).toEqual(['0 orders', '1 order', '2 orders']);
  });
});

describe('JSON to be read', () => {
  it('has the characters that turn a text around as escapes, and is still the same JSON', () => {
    const value = { name: 'a\u202eevil\u2069', other: 'שלום' };
    const text = formatJson(value);
    expect(text).toContain('"a\\u202eevil\\u2069"');
    expect(text).toContain('שלום');
    expect(JSON.parse(text)).toEqual(value);
  });
});
