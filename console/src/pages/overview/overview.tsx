import { SegmentedControl } from '@mantine/core';
import { Navigate, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useIsOperator } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { LastOrders } from './last-orders.tsx';
import { DEFAULT_RANGE, RANGES, readRange } from './ranges.ts';
import { Traffic } from './traffic.tsx';
import { Warehouses } from './warehouses.tsx';

/** The whole system on one page, for operators; a customer's beginning is its orders. */
export function Overview(): ReactNode {
  return useIsOperator() ? <OverviewContent /> : <Navigate to="/ui/orders" replace />;
}

function OverviewContent(): ReactNode {
  const range = readRange(useSearch({ from: '/' })['range']);
  const navigate = useNavigate({ from: '/' });
  const choose = (chosen: string): void =>
    void navigate({ search: (before) => ({ ...before, range: chosen === DEFAULT_RANGE ? undefined : chosen }), replace: true });
  const actions = <SegmentedControl size="xs" data={[...RANGES]} value={range} onChange={choose} aria-label="How far back" />;
  return (
    <Page title="Overview" actions={actions}>
      <Traffic range={range} />
      <LastOrders />
      <Warehouses />
    </Page>
  );
}
