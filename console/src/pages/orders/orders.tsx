import { Button } from '@mantine/core';
import IconDownload from '@tabler/icons-react/dist/esm/icons/IconDownload.mjs';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import type { BulkViewJson } from '#gateway/api-bulk.ts';
import { ApiFailure, pathOf } from '../../api/client.ts';
import { gatewayNow } from '../../api/gateway-clock.ts';
import { useIsOperator } from '../../api/session.ts';
import { Page } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { BulkMenu, BulkStrip } from './bulk/bulk-actions.tsx';
import classes from './orders.module.css';
import { canonicalSearch, faultsIn, filterOf, type ParsedQuery, parseQuery } from './query/query.ts';
import { Results } from './results.tsx';
import { newestQuery } from './rows/order-pages.ts';
import { Presets } from './search/presets.tsx';
import { SearchBox } from './search/search-box.tsx';
import { columnsOf } from './table/columns.tsx';
import { ColumnChoice, lastColumns } from './views/column-choice.tsx';
import { ViewsMenu } from './views/views-menu.tsx';

/** Every order, found by one box, live. What is searched for and shown is in the URL. */
export function Orders(): ReactNode {
  const { q = '', cols } = useSearch({ from: '/ui/orders' });
  const isOperator = useIsOperator();
  const change = useChange();
  const parsed = useSearched(q);
  const columns = useMemo(() => columnsOf(cols ?? lastColumns()), [cols]);
  const [begun, setBegun] = useState<readonly BulkViewJson[]>([]);
  const onSearch = useCallback((text: string) => change({ q: canonicalSearch(text) || undefined }), [change]);
  useFocusOnArrival();
  return (
    <Page
      title="Orders"
      isFitted
      actions={
        <>
          <ColumnChoice chosen={columns} onChoose={(text) => change({ cols: text })} />
          <Export parsed={parsed} />
          {isOperator ? <BulkMenu parsed={parsed} onStarted={(operation) => setBegun((all) => [...all, operation])} /> : null}
        </>
      }
    >
      <SearchBox search={q} parsed={parsed} onSearch={onSearch} />
      <div className={classes['bar']}>
        <Presets cols={cols} />
        <ViewsMenu search={q} cols={cols} />
      </div>
      {isOperator ? <BulkStrip begun={begun} onPutAway={(one) => setBegun((all) => all.filter((other) => other !== one))} /> : null}
      {parsed.faults.length > 0 ? (
        <Empty title="This search is not understood">What is wrong is said below the box, and what is possible instead.</Empty>
      ) : (
        <Results query={parsed.query} columns={columns} />
      )}
    </Page>
  );
}

/** The search, with what only the gateway finds wrong with it. */
function useSearched(text: string): ParsedQuery {
  const parsed = useMemo(() => parseQuery(text), [text]);
  const { error } = useQuery({ ...newestQuery(parsed.query), enabled: false });
  return useMemo(() => {
    const errors = (error instanceof ApiFailure && error.problem.errors) || [];
    return { ...parsed, faults: [...parsed.faults, ...faultsIn(parsed.query, errors)] };
  }, [parsed, error]);
}

function useChange(): (to: { q?: string | undefined; cols?: string }) => void {
  const navigate = useNavigate({ from: '/ui/orders' });
  return useCallback((to) => void navigate({ to: '/ui/orders', search: (before) => ({ ...before, ...to }) }), [navigate]);
}

/** `focus=search` is how other pages lead to the box. */
function useFocusOnArrival(): void {
  const { focus, ...rest } = useSearch({ from: '/ui/orders' });
  const navigate = useNavigate();
  useEffect(() => {
    if (focus !== 'search') return;
    document.querySelector<HTMLElement>('[data-search]')?.focus();
    void navigate({ to: '/ui/orders', search: rest, replace: true });
  });
}

/** All that match as a file; the gateway writes it page by page. */
function Export({ parsed: { query, faults } }: { parsed: ParsedQuery }): ReactNode {
  const looks = { variant: 'default', leftSection: <IconDownload size={14} aria-hidden /> };
  if (faults.length > 0) {
    return (
      <Button {...looks} disabled>
        Export CSV
      </Button>
    );
  }
  return (
    <Button {...looks} component="a" href={pathOf('/orders', { ...filterOf(query, gatewayNow()), format: 'csv' })} download="orders.csv">
      Export CSV
    </Button>
  );
}
