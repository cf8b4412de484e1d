import { ConveyorError } from '#domain/errors.ts';
import { DEFAULT_PAGE, MAX_PAGE } from './api.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import type { Warehouse } from './warehouses/warehouses.ts';

/** Lists over all warehouses: one page, whoever has its entries. */

/** As the query says it. */
export interface PageQuery {
  limit?: string;
  cursor?: string;
}

export interface Page<Entry> {
  shown: { entry: Entry; warehouse: Warehouse }[];
  /** What the answer says besides its entries. */
  about: { has_more: boolean; next_cursor?: string; missing_warehouses?: string[] };
}

/**
 * One page of the newest entries of these warehouses, by their ids (UUIDs of version 7: their order is that of time). An entry that
 * stands in several is shown once. A warehouse that is away is named; when all are, the request fails.
 * @param scope everything that selects the list's rows: a cursor of another list is refused
 */
export async function readPage<Entry extends { id: string }>(
  warehouses: readonly Warehouse[],
  { limit: limitText, cursor }: PageQuery,
  scope: string,
  read: (warehouse: Warehouse, page: { limit: number; beforeId?: string }) => Promise<Entry[]>,
): Promise<Page<Entry>> {
  const limit = parseLimit(limitText);
  // One more than asked for tells whether there are more.
  const asked = { limit: limit + 1, ...(cursor === undefined ? {} : { beforeId: decodeCursor(cursor, scope) }) };
  const { found, missing } = await askAll(warehouses, (warehouse) => read(warehouse, asked));
  const newestFirst = found
    .sort((a, b) => (a.entry.id < b.entry.id ? 1 : -1))
    .filter(({ entry }, index, all) => all[index - 1]?.entry.id !== entry.id);
  const shown = newestFirst.slice(0, limit);
  const hasMore = newestFirst.length > limit;
  const about = {
    has_more: hasMore,
    ...(hasMore ? { next_cursor: encodeCursor(shown.at(-1)?.entry.id ?? '', scope) } : {}),
    ...(missing.length > 0 ? { missing_warehouses: missing } : {}),
  };
  return { shown, about };
}

function parseLimit(text: string | undefined): number {
  const limit = Number(text ?? DEFAULT_PAGE);
  if (limit >= 1 && limit <= MAX_PAGE) return limit;
  throw new ConveyorError('invalid-request', `limit is ${limit}; 1 to ${MAX_PAGE} is expected`, {
    faults: [{ field: 'limit', reason: `must be 1 to ${MAX_PAGE}` }],
  });
}

/** What each of these warehouses has, and which of them are away. When all are, it rejects. */
export async function askAll<Entry>(
  warehouses: readonly Warehouse[],
  read: (warehouse: Warehouse) => Promise<Entry[]>,
): Promise<{ found: { entry: Entry; warehouse: Warehouse }[]; missing: string[] }> {
  const answers = await Promise.allSettled(warehouses.map(read));
  const found: { entry: Entry; warehouse: Warehouse }[] = [];
  const missing: string[] = [];
  for (const [index, answer] of answers.entries()) {
    const warehouse = warehouses[index] as Warehouse;
    if (answer.status === 'fulfilled') found.push(...answer.value.map((entry) => ({ entry, warehouse })));
    else if (!(answer.reason instanceof ConveyorError) || warehouses.length === missing.length + 1) throw answer.reason;
    else missing.push(warehouse.name);
  }
  return { found, missing };
}
