import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { warehousesQuery } from '../../../api/cluster.ts';
import { useNodes } from '../../../api/nodes.ts';
import { useIsOperator } from '../../../api/session.ts';
import { hasEnded, ORDER_STEPS } from '../../../parts/step-names.ts';
import type { Vocabulary } from '../query/completion.ts';
import type { OrderQuery } from '../query/query.ts';
import { newestKey, type RowsPage } from '../rows/order-pages.ts';
import type { OrderRow } from '../rows/order-row.ts';

const STALE_MS = 15_000;

/**
 * What can be offered: the cluster as it is, and what the orders of the search have. It is looked up when somebody is about to type.
 */
export function useVocabulary(query: OrderQuery): [vocabulary: Vocabulary, lookAround: () => void] {
  const client = useQueryClient();
  const isOperator = useIsOperator();
  const nodes = useNodes();
  const [seen, setSeen] = useState<readonly OrderRow[]>();
  const { data } = useQuery({ ...warehousesQuery, enabled: isOperator && seen !== undefined, staleTime: STALE_MS });
  const vocabulary = useMemo(() => {
    const warehouses = data?.warehouses ?? [];
    const open = (seen ?? []).filter((row) => !hasEnded(row));
    return {
      nodes: nodes.map(({ node_id: id, name, warehouse }) => ({ id, name, warehouse })),
      warehouses: distinct([...warehouses.map(({ name }) => name), ...(seen ?? []).map(({ warehouse }) => warehouse)]),
      regions: distinct([...warehouses.map(({ region }) => region), ...(seen ?? []).map(({ region }) => region)]),
      steps: distinct([...ORDER_STEPS, ...open.map(({ current_step: step }) => step)]),
    };
  }, [nodes, data, seen]);
  const lookAround = (): void => setSeen(client.getQueryData<RowsPage>(newestKey(query))?.rows ?? []);
  return [vocabulary, lookAround];
}

function distinct(texts: readonly (string | undefined)[]): string[] {
  return [...new Set(texts)].filter((text) => text !== undefined);
}
