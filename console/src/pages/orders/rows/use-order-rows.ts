import { type QueryClient, skipToken, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo } from 'react';
import { type LiveEvent, useLiveEvents, useLiveState } from '../../../api/live.ts';
import { useLiveRefresh } from '../../../api/refresh.ts';
import { hasEnded } from '../../../parts/step-names.ts';
import type { OrderQuery } from '../query/query.ts';
import {
  countRows,
  listKey,
  listQuery,
  MAX_ROWS,
  mapPage,
  mapRows,
  newestKey,
  newestQuery,
  type RowsData,
  type RowsPage,
  readPage,
} from './order-pages.ts';
import { applyEvents, countNew, mayConcern, type OrderRow, refreshRows } from './order-row.ts';

/**
 * The rows of the table, live in two ways. As long as nobody is reading them (`isHeld` is false) the list is the newest page, again
 * and again. While somebody is, no row moves: each is brought up to date where it stands, and what is new is only counted.
 */
export interface OrderRows {
  rows: readonly OrderRow[];
  /** Orders that match and wait to be shown. */
  newCount: number;
  showNewest: () => void;
  missing: readonly string[];
  hasOlder: boolean;
  /** There are older ones, too many to keep. */
  isFull: boolean;
  readOlder: () => void;
  isReadingOlder: boolean;
  error: Error | null;
  /** Why the rows are not those of this moment. */
  staleBecause: Error | null;
  retry: () => void;
  isPending: boolean;
  /** The rows are those of the search before. */
  isOld: boolean;
}

const REFRESH_EVERY_MS = 1_500;
const POLL_EVERY_MS = 3_000;
const POLL_BESIDE_EVENTS_MS = 30_000;

export function useOrderRows(query: OrderQuery, isHeld: boolean): OrderRows {
  const client = useQueryClient();
  const list = useInfiniteQuery(listQuery(query));
  const { data: newest, error: staleBecause } = useNewest(query);
  const { data, isPlaceholderData: isOld, isFetchingNextPage } = list;
  useEventsInRows(client, query);
  useEffect(() => {
    if (newest) bringUpToDate(client, query, newest, isHeld || isFetchingNextPage);
  }, [client, query, newest, isHeld, isFetchingNextPage]);
  const rows = useMemo(() => data?.pages.flatMap((page) => page.rows) ?? [], [data]);
  const last = data?.pages.at(-1);
  const newCount = useMemo(
    () => (newest && !isOld && isHeld ? countNew(rows, newest.rows, newest.next !== undefined) : 0),
    [rows, newest, isOld, isHeld],
  );
  const showNewest = useCallback(() => {
    if (newest) bringUpToDate(client, query, newest, false);
  }, [client, query, newest]);
  return {
    rows,
    newCount,
    showNewest,
    missing: newest?.missing ?? last?.missing ?? [],
    hasOlder: list.hasNextPage,
    isFull: last?.next !== undefined && countRows(data?.pages ?? []) >= MAX_ROWS,
    readOlder: () => void (list.hasNextPage && !list.isFetching && list.fetchNextPage()),
    isReadingOlder: isFetchingNextPage,
    error: list.error,
    staleBecause,
    retry: () => void (data ? list.fetchNextPage() : list.refetch()),
    isPending: list.isPending,
    isOld,
  };
}

/** The first page, again when events come that concern it; by asking now and then where none come. */
function useNewest(query: OrderQuery): { data: RowsPage | undefined; error: Error | null } {
  const isLive = useLiveState() === 'live';
  const newest = useQuery({
    ...newestQuery(query),
    refetchInterval: ({ state }) => (isLive && !state.error ? POLL_BESIDE_EVENTS_MS : POLL_EVERY_MS),
  });
  const concerns = useCallback((event: LiveEvent) => mayConcern(query, event), [query]);
  useLiveRefresh(newestKey(query), REFRESH_EVERY_MS, concerns);
  return newest;
}

function bringUpToDate(client: QueryClient, query: OrderQuery, newest: RowsPage, isHeld: boolean): void {
  client.setQueryData<RowsData>(listKey(query), (data) => {
    if (data && isHeld) return mapRows(data, (rows) => refreshRows(rows, newest.rows));
    return { pages: [newest], pageParams: [undefined] };
  });
}

/** What an event says of an order is seen at once, before anything is asked for again. */
function useEventsInRows(client: QueryClient, query: OrderQuery): void {
  const listen = useCallback(
    (events: readonly LiveEvent[]) => {
      const ofOrder = Map.groupBy(events, ({ order_id: id }) => id);
      const change = (rows: readonly OrderRow[]): readonly OrderRow[] => applyEvents(rows, ofOrder);
      client.setQueryData<RowsPage>(newestKey(query), (page) => page && mapPage(page, change));
      client.setQueryData<RowsData>(listKey(query), (data) => data && mapRows(data, change));
    },
    [client, query],
  );
  useLiveEvents(listen);
}

/** A page further down, as long as it is looked at and something in it is not at its end: what events do not tell is read again. */
export function useFreshPage(query: OrderQuery, rowIndex: number): void {
  const client = useQueryClient();
  const data = client.getQueryData<RowsData>(listKey(query));
  const index = data ? pageOf(data, rowIndex) : -1;
  const page = data?.pages[index];
  const start = data?.pageParams[index];
  const { data: fresh } = useQuery({
    queryKey: ['orders', 'page', start?.cursor],
    queryFn: start ? ({ signal }) => readPage(start, signal) : skipToken,
    enabled: page?.rows.some((row) => !hasEnded(row) || row.version !== undefined) ?? false,
    refetchInterval: POLL_EVERY_MS,
    staleTime: POLL_EVERY_MS,
    gcTime: 0,
    ...(page ? { initialData: page } : {}),
  });
  useEffect(() => {
    if (fresh) client.setQueryData<RowsData>(listKey(query), (all) => all && mapRows(all, (rows) => refreshRows(rows, fresh.rows)));
  }, [client, query, fresh]);
}

function pageOf({ pages }: RowsData, rowIndex: number): number {
  let end = 0;
  return pages.findIndex(({ rows }) => {
    end += rows.length;
    return rowIndex < end;
  });
}
