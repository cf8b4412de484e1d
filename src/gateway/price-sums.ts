import { toMillionths } from '#domain/money.ts';
import type { OrderTotals } from '#engine/store.ts';

/** What completed orders add up to; sums in millionths: exact whatever they grow to. */
export interface PriceSums {
  completed: number;
  /** Of those, the ones with a price. */
  priced: number;
  millionths: bigint;
}

export function pricesOf({ completed, priced, priceSum }: OrderTotals): PriceSums {
  return { completed, priced, millionths: toMillionths(priceSum) };
}

export function addPrices(sums: readonly PriceSums[]): PriceSums {
  const total: PriceSums = { completed: 0, priced: 0, millionths: 0n };
  for (const { completed, priced, millionths } of sums) {
    total.completed += completed;
    total.priced += priced;
    total.millionths += millionths;
  }
  return total;
}

/** Rounded half up, in millionths. */
export function averageOf({ priced, millionths }: PriceSums): bigint {
  return priced === 0 ? 0n : (2n * millionths + BigInt(priced)) / (2n * BigInt(priced));
}
