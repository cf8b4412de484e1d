import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceExecution } from './execution-price.ts';

describe('the execution price', () => {
  it('is the quantity times the factor, to the last digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), fc.string(), (quantity, key) => {
        const { execution_price: price, factor } = priceExecution(quantity, key);
        const inMillionths = (text: string): bigint => {
          expect(text).toMatch(/^\d+\.\d{2,6}$/);
          const [whole = '', places = ''] = text.split('.');
          return BigInt(whole) * 1_000_000n + BigInt(places.padEnd(6, '0'));
        };
        expect(inMillionths(price)).toBe(inMillionths(factor) * BigInt(quantity));
        expect(inMillionths(factor)).toBeGreaterThanOrEqual(1_100_000n);
        expect(inMillionths(factor)).toBeLessThan(2_000_000n);
      }),
    );
  });

  it('is the same for the same key, and another for another', () => {
    expect(priceExecution(7, 'a:3:forward')).toEqual(priceExecution(7, 'a:3:forward'));
    expect(priceExecution(7, 'a:3:forward')).not.toEqual(priceExecution(7, 'b:3:forward'));
    expect(priceExecution(3, '0199f3c2:3:forward')).toEqual({ execution_price: '3.379647', factor: '1.126549', quantity: 3 });
  });

  it('spreads its factors evenly', () => {
    const factors = Array.from({ length: 9_000 }, (_, n) => Number(priceExecution(1, `order ${n}`).factor));
    for (let from = 1.1; from < 1.95; from += 0.1) {
      const share = factors.filter((factor) => factor >= from && factor < from + 0.1).length;
      expect(share).toBeGreaterThan(850);
      expect(share).toBeLessThan(1_150);
    }
  });
});
