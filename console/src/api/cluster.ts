import { queryOptions } from '@tanstack/react-query';
import type { ClusterJson } from '#gateway/api-cluster.ts';
import type { WarehouseListJson } from '#gateway/api-warehouses.ts';
import { get } from './client.ts';
import { type ClusterSeen, lookAgain } from './happenings.ts';

/** The nodes, and what happened to them since the console first looked: each answer is compared with the one before. */
export const clusterQuery = queryOptions({
  queryKey: ['cluster'],
  queryFn: async ({ client, signal }): Promise<ClusterSeen> => {
    const cluster = await get<ClusterJson>('/diagnostic/cluster', { signal });
    return lookAgain(client.getQueryData<ClusterSeen>(['cluster']), cluster);
  },
  staleTime: 500,
  gcTime: Number.POSITIVE_INFINITY,
});

export const warehousesQuery = queryOptions({
  queryKey: ['warehouses'],
  queryFn: ({ signal }) => get<WarehouseListJson>('/warehouses', { signal }),
});
