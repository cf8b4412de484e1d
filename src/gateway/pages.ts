import { ConveyorError } from '#domain/errors.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './api.ts';
import type { Warehouse } from './warehouses/warehouses.ts';

/** Lists over all warehouses: one page, whoever has its entries. */

export function parseLimit(text: string | undefined): number {
  const limit = Number(text ?? DEFAULT_PAGE);
  if (limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new ConveyorError('invalid-request', `limit is ${limit}; 1 to ${MAX_PAGE} is expected`, {
    faults: [{ field: 'limit', reason: `must be 1 to ${MAX_PAGE}` }],
  });
}

/**
 * The newest entries of all warehouses, by their ids (UUIDs of version 7: their order is that of time). An entry that stands in
 * several is shown once. A warehouse that is away is named; when all are, the request fails.
 * @param read answers one entry more than `limit` where there is one
 */
export async function mergeNewest<Entry extends { id: string }>(
  warehouses: readonly Warehouse[],
  limit: number,
  read: (warehouse: Warehouse) => Promise<Entry[]>,
): Promise<{ shown: { entry: Entry; warehouse: Warehouse }[]; hasMore: boolean; missing: string[] }> {
  const answers = await Promise.allSettled(warehouses.map(read));
  const found: { entry: Entry; warehouse: Warehouse }[] = [];
  const missing: string[] = [];
  for (const [index, answer] of answers.entries()) {
    const warehouse = warehouses[index] as Warehouse;
    if (answer.status === 'fulfilled') found.push(...answer.value.map((entry) => ({ entry, warehouse })));
    else if (!(answer.reason instanceof ConveyorError) || warehouses.length === missing.length + 1) throw answer.reason;
    else missing.push(warehouse.name);
  }
  const newestFirst = found
    .sort((a, b) => (a.entry.id < b.entry.id ? 1 : -1))
    .filter(({ entry }, index, all) => all[index - 1]?.entry.id !== entry.id);
  return { shown: newestFirst.slice(0, limit), hasMore: newestFirst.length > limit, missing };
}
