import { createHash } from 'node:crypto';
import type { Json } from '#domain/json.ts';
import { formatMillionths } from '#domain/money.ts';

/**
 * What the carrying out of an order costs: its quantity times a factor in [1.1, 2.0), which follows from the step's idempotency
 * key. A second run of the step gives the same price. All of it in whole millionths: no binary fraction comes near money.
 */
export interface ExecutionPrice {
  /** A decimal number, exact, with two to six places. */
  execution_price: string;
  quantity: number;
  factor: string;
}

const LOWEST = 1_100_000n;
/** Factors below 2.0, in millionths. */
const FACTORS = 900_000n;

export function priceExecution(quantity: number, idempotencyKey: string): ExecutionPrice & { [name: string]: Json } {
  const drawn = createHash('sha256').update(idempotencyKey).digest().readBigUInt64BE();
  const factor = LOWEST + (drawn % FACTORS);
  return { execution_price: formatMillionths(BigInt(quantity) * factor), quantity, factor: formatMillionths(factor) };
}
