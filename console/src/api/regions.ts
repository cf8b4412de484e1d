import { useQuery } from '@tanstack/react-query';
import { warehousesQuery } from './cluster.ts';
import { useIsOperator } from './session.ts';

/** The regions that warehouses take first, for operators to choose from; a customer's orders may name any. */
export function useRegions(): string[] {
  const { data } = useQuery({ ...warehousesQuery, enabled: useIsOperator() });
  return [...new Set((data?.warehouses ?? []).map(({ region }) => region))];
}
