import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { get } from './client.ts';

export interface Counts {
  accepted: number;
  completed: number;
  failed: number;
  cancelled: number;
}

/** What `GET /statistics` answers. */
export interface StatisticsJson {
  range: string;
  since: string;
  /** The end of what was counted, some seconds ago. */
  until: string;
  bucket_s: number;
  points: (Counts & { at: string })[];
  totals: Counts;
  time_to_completion_ms: { p50: number; p95: number; p99: number } | null;
  waiting: { orders: number; oldest?: { order_id: string; warehouse: string; since: string } };
  running: number;
  /** Of all orders ever completed. */
  execution_price: { total: string; average: string };
  /** 1,000 stands for that many or more. */
  needs_attention: number;
  missing_warehouses?: string[];
}

export function statisticsQuery(range: string) {
  return queryOptions({
    queryKey: ['statistics', range],
    queryFn: ({ signal }) => get<StatisticsJson>('/statistics', { query: { range }, signal }),
    placeholderData: keepPreviousData,
  });
}
