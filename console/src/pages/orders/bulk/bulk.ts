import { queryOptions } from '@tanstack/react-query';
import type { OrderStatus } from '#domain/order-state.ts';
import type { BulkPageJson, BulkPreviewJson, BulkViewJson } from '#gateway/api-bulk.ts';
import { get } from '../../../api/client.ts';
import { countOf } from '../../../format.ts';
import { isEmptyQuery, type OrderQuery } from '../query/query.ts';

/** Actions on many orders: what the wire says of them, and when they make sense. */

export type BulkAction = BulkViewJson['action'];

export const MAX_PACE = 1_000;
export const USUAL_PACE = 50;
const WATCH_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 10_000;

export const BULK_KEY = ['bulk'];

/** The recent ones; often while one runs. */
export const bulkQuery = queryOptions({
  queryKey: BULK_KEY,
  queryFn: ({ signal }) => get<BulkPageJson>('/orders/bulk', { signal }),
  refetchInterval: LOOK_EVERY_MS,
});

export function bulkOneQuery(operation: BulkViewJson) {
  return queryOptions({
    queryKey: [...BULK_KEY, operation.bulk_id],
    queryFn: ({ signal }) => get<BulkViewJson>(`/orders/bulk/${operation.bulk_id}`, { signal }),
    initialData: operation,
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? WATCH_EVERY_MS : false),
  });
}

const POSSIBLE: Readonly<Record<BulkAction, ReadonlySet<OrderStatus>>> = {
  cancel: new Set(['queued', 'processing', 'needs_attention']),
  retry: new Set(['failed', 'cancelled']),
};

/** Whether an order of that status can be acted on so. */
export function isPossible(action: BulkAction, status: string): boolean {
  return POSSIBLE[action].has(status as OrderStatus);
}

const ONLY: Readonly<Record<BulkAction, string>> = {
  cancel: 'Only orders that are queued, processing or need attention can be cancelled',
  retry: 'Only failed and cancelled orders can be retried',
};

/** Why nothing can be done with all that match; `undefined` where it can. Pure. */
export function whyNot(action: BulkAction, query: OrderQuery): string | undefined {
  if (isEmptyQuery(query)) return 'Search for something first: this is never done with all orders there are';
  if (query.status !== undefined && !isPossible(action, query.status)) return `${ONLY[action]}; the search is for others`;
  if (action === 'retry' && (query.step !== undefined || query.node !== undefined))
    return `${ONLY.retry}; the search is for open ones, by their ${query.step === undefined ? 'node' : 'step'}`;
  return undefined;
}

/** Why nothing can be done with the selected ones. Pure. */
export function whyNotThese(action: BulkAction, statuses: readonly string[]): string | undefined {
  return statuses.some((status) => isPossible(action, status)) ? undefined : `${ONLY[action]}; none of the selected ones is`;
}

export const VERBS: Readonly<Record<BulkAction, { verb: string; doing: string; done: string }>> = {
  cancel: { verb: 'Cancel', doing: 'Cancelling', done: 'cancelled' },
  retry: { verb: 'Retry', doing: 'Retrying', done: 'placed again' },
};

/** `312 orders`, `at least 10,000 orders`. Pure. */
export function sayMatching({
  matching,
  matching_is_lower_bound: isMore,
}: Pick<BulkPreviewJson, 'matching' | 'matching_is_lower_bound'>): string {
  return `${isMore ? 'at least ' : ''}${countOf(matching, 'order')}`;
}
