import { describe, expect, it } from 'vitest';
import { formatPrice } from './format.ts';

describe('a price', () => {
  it('is rounded to hundredths, whatever its size', () => {
    expect(formatPrice('8.404555')).toMatch(/^8[.,]40$/);
    expect(formatPrice('0')).toMatch(/^0[.,]00$/);
    expect(formatPrice('12345678901234567890.995').replaceAll(/\D/g, '')).toBe('1234567890123456789100');
  });
});
