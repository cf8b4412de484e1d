import { queryOptions } from '@tanstack/react-query';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { get } from '../../api/client.ts';
import { mergeEvents } from './history.ts';

export function orderQuery(id: string) {
  return queryOptions({
    queryKey: ['order', id],
    queryFn: ({ signal }) => get<OrderViewJson>(`/orders/${encodeURIComponent(id)}`, { signal }),
  });
}

/** The whole history; what its stream brought meanwhile stays. */
export function orderEventsQuery(id: string) {
  return queryOptions({
    queryKey: ['order-events', id],
    queryFn: async ({ client, signal, queryKey }) => {
      const answer = await get<{ events: EventJson[] }>(`/orders/${encodeURIComponent(id)}/events`, { signal });
      return mergeEvents(client.getQueryData<EventJson[]>(queryKey) ?? [], answer.events);
    },
  });
}
