import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { StatisticsJson } from '#gateway/api-statistics.ts';
import { get } from './client.ts';

export function statisticsQuery(range: string) {
  return queryOptions({
    queryKey: ['statistics', range],
    queryFn: ({ signal }) => get<StatisticsJson>('/statistics', { query: { range }, signal }),
    placeholderData: keepPreviousData,
  });
}
