import { skipToken, type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useRef } from 'react';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import type { StreamState } from '../../api/event-stream.ts';
import { isOver, lacksNode, mergeEvents } from './history.ts';
import { orderEventsQuery, orderQuery } from './order-queries.ts';
import { useOrderStream } from './stream.ts';

export interface OrderData {
  order: UseQueryResult<OrderViewJson>;
  events: readonly EventJson[] | undefined;
  eventsError: Error | null;
  stream: StreamState;
  refresh: (withEvents?: boolean) => void;
}

/** Why an order waits changes without an event: it is asked for now and then while it is open. */
const LOOK_EVERY_MS = 3_000;
/** Events come in bursts; the order is asked for once for each. */
const REFRESH_AFTER_MS = 60;

/** An order and its whole history, following it until it has ended. */
export function useOrder(id: string): OrderData {
  const client = useQueryClient();
  const events = useQuery(orderEventsQuery(id));
  const over = isOver(events.data ?? []);
  const order = useQuery({ ...orderQuery(id), refetchInterval: over ? false : LOOK_EVERY_MS });
  const refresh = useRefresh(id);
  const take = useCallback(
    (news: readonly EventJson[]) => {
      client.setQueryData(orderEventsQuery(id).queryKey, (before = []) => mergeEvents(before, news));
      refresh(news.some(lacksNode));
    },
    [client, id, refresh],
  );
  const stream = useOrderStream(id, events.data !== undefined && !over, take);
  return { order, events: events.data, eventsError: events.error, stream, refresh };
}

function useRefresh(id: string): (withEvents?: boolean) => void {
  const client = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const withEvents = useRef(false);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(
    (alsoEvents = false) => {
      withEvents.current ||= alsoEvents;
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        void client.invalidateQueries({ queryKey: orderQuery(id).queryKey });
        if (withEvents.current) void client.invalidateQueries({ queryKey: orderEventsQuery(id).queryKey });
        withEvents.current = false;
      }, REFRESH_AFTER_MS);
    },
    [client, id],
  );
}

/** The order that repeats this one, where it was placed from here: one who looks at it and comes back still sees it. */
export function useRetriedAs(id: string): [retriedAs: string | undefined, remember: (retriedAs: string) => void] {
  const client = useQueryClient();
  const queryKey = ['order-retried-as', id];
  const { data } = useQuery<string>({ queryKey, queryFn: skipToken, gcTime: Number.POSITIVE_INFINITY });
  return [data, (retriedAs) => void client.setQueryData(queryKey, retriedAs)];
}
