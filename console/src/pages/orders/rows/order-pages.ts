import { type InfiniteData, infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { OrderPageJson } from '#gateway/api.ts';
import { get } from '../../../api/client.ts';
import { gatewayNow } from '../../../api/gateway-clock.ts';
import { filterOf, type OrderFilter, type OrderQuery, printQuery } from '../query/query.ts';
import { type OrderRow, rowsOf } from './order-row.ts';

/** The list of orders as it is asked for and kept: page by page, newest first. */

export const PAGE_ROWS = 100;
/** A page that lies open for days and is scrolled far keeps so many rows; what is older is found by a narrower search. */
export const MAX_ROWS = 2_000;

/** Where a page begins. A cursor belongs to one filter: spans of time stay the moments they were on the first page. */
interface PageStart {
  filter: OrderFilter;
  cursor: string;
}

export interface RowsPage {
  rows: readonly OrderRow[];
  next?: PageStart;
  /** Warehouses that did not answer. */
  missing: readonly string[];
}

export type RowsData = InfiniteData<RowsPage, PageStart | undefined>;

export function newestKey(query: OrderQuery): readonly unknown[] {
  return ['orders', 'newest', printQuery(query)];
}

/** The first page as it is now. */
export function newestQuery(query: OrderQuery) {
  return queryOptions({
    queryKey: newestKey(query),
    queryFn: ({ signal }) => readPage({ filter: filterOf(query, gatewayNow()) }, signal),
  });
}

export function listKey(query: OrderQuery): readonly unknown[] {
  return ['orders', 'list', printQuery(query)];
}

/** All pages that were read so far. They are kept up to date by what happens, never read again as a whole. */
export function listQuery(query: OrderQuery) {
  return infiniteQueryOptions({
    queryKey: listKey(query),
    // The first page is the newest one: whoever asks first, it is one request.
    queryFn: ({ pageParam, signal, client }) => (pageParam ? readPage(pageParam, signal) : client.query(newestQuery(query))),
    initialPageParam: undefined as PageStart | undefined,
    getNextPageParam: ({ next }, pages) => (countRows(pages) < MAX_ROWS ? next : undefined),
    placeholderData: keepPreviousData,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
}

export async function readPage({ filter, cursor }: { filter: OrderFilter; cursor?: string }, signal: AbortSignal): Promise<RowsPage> {
  const page = await get<OrderPageJson>('/orders', { query: { ...filter, cursor, limit: PAGE_ROWS }, signal });
  return {
    rows: rowsOf(page),
    ...(page.next_cursor === undefined ? {} : { next: { filter, cursor: page.next_cursor } }),
    missing: page.missing_warehouses ?? [],
  };
}

export function countRows(pages: readonly RowsPage[]): number {
  return pages.reduce((sum, { rows }) => sum + rows.length, 0);
}

/** All pages with their rows changed; the same object where none is. */
export function mapRows(data: RowsData, change: (rows: readonly OrderRow[]) => readonly OrderRow[]): RowsData {
  const pages = data.pages.map((page) => mapPage(page, change));
  return pages.every((page, index) => page === data.pages[index]) ? data : { ...data, pages };
}

export function mapPage(page: RowsPage, change: (rows: readonly OrderRow[]) => readonly OrderRow[]): RowsPage {
  const rows = change(page.rows);
  return rows === page.rows ? page : { ...page, rows };
}
