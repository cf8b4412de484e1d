import { ConveyorError } from '#domain/errors.ts';
import type { Warehouse } from './warehouses.ts';

/** What each of the warehouses answers, and the names of those that did not; when none does, the request fails. */
export async function askAll<Answer>(
  warehouses: readonly Warehouse[],
  ask: (warehouse: Warehouse, index: number) => Promise<Answer>,
): Promise<{ answers: { warehouse: Warehouse; answer: Answer }[]; missing: string[] }> {
  const settled = await Promise.allSettled(warehouses.map(ask));
  const answers: { warehouse: Warehouse; answer: Answer }[] = [];
  const missing: string[] = [];
  for (const [index, one] of settled.entries()) {
    const warehouse = warehouses[index] as Warehouse;
    if (one.status === 'fulfilled') answers.push({ warehouse, answer: one.value });
    else if (!(one.reason instanceof ConveyorError) || warehouses.length === missing.length + 1) throw one.reason;
    else missing.push(warehouse.name);
  }
  return { answers, missing };
}
