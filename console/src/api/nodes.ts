import { useQuery } from '@tanstack/react-query';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { clusterQuery } from './cluster.ts';
import { useIsOperator } from './session.ts';

const STALE_MS = 15_000;

/** The nodes of the cluster; a customer's token is not told. */
export function useNodes(): readonly NodeJson[] {
  const isOperator = useIsOperator();
  const { data } = useQuery({ ...clusterQuery, enabled: isOperator, staleTime: STALE_MS, select: ({ cluster }) => cluster.nodes });
  return data ?? NO_NODES;
}

const NO_NODES: readonly NodeJson[] = [];
