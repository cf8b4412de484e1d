import { Alert, Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useNodes } from '../../api/nodes.ts';
import { useIsOperator } from '../../api/session.ts';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { SelectionBar } from './bulk/selection-bar.tsx';
import { isEmptyQuery, type OrderQuery, printQuery } from './query/query.ts';
import { type OrderRows, useOrderRows } from './rows/use-order-rows.ts';
import type { Column } from './table/columns.tsx';
import { OrderFrame, type ReadingHandlers, useReading } from './table/order-frame.tsx';
import { OrderList } from './table/order-list.tsx';
import { OrderTable } from './table/order-table.tsx';
import { type RowCursor, type Selected, useRowCursor, useRowKeys, useSelected } from './table/row-cursor.ts';

interface ResultsProps {
  query: OrderQuery;
  columns: readonly Column[];
}

/** The orders that match: read with the mouse, the keyboard or a finger, kept up to date. */
export function Results({ query, columns }: ResultsProps): ReactNode {
  const isPhone = useMediaQuery('(max-width: 40em)', false, { getInitialValueInEffect: false });
  const canSelect = useIsOperator() && !isPhone;
  const { orders, scroller, handlers, cursor, selected, toNewest } = useReader(query, canSelect);
  const nodes = useNodes();
  const nodeNames = useMemo(() => new Map(nodes.map(({ node_id: id, name }) => [id, name])), [nodes]);
  const chosen = useMemo(() => orders.rows.filter(({ order_id: id }) => selected.has(id)), [orders.rows, selected]);
  if (orders.isPending) return <Loading what="orders" />;
  if (orders.rows.length === 0) return orders.error ? <Failure error={orders.error} onRetry={orders.retry} /> : <Nothing query={query} />;
  return (
    <>
      <Stale orders={orders} />
      <OrderFrame
        scroller={scroller}
        orders={orders}
        query={query}
        handlers={handlers}
        onNewest={toNewest}
        foot={canSelect ? <SelectionBar selected={chosen} clear={selected.clear} /> : null}
      >
        {isPhone ? (
          <OrderList scroller={scroller} orders={orders} query={query} cursorIndex={cursor.index} />
        ) : (
          <OrderTable
            scroller={scroller}
            orders={orders}
            query={query}
            columns={columns}
            nodeNames={nodeNames}
            cursor={cursor}
            selection={canSelect ? selected : undefined}
          />
        )}
      </OrderFrame>
    </>
  );
}

interface Reader {
  orders: OrderRows;
  scroller: RefObject<HTMLDivElement | null>;
  handlers: ReadingHandlers;
  cursor: RowCursor;
  selected: Selected;
  toNewest: () => void;
}

/** Where somebody is in the rows, and the rows, which stay where they are meanwhile. */
function useReader(query: OrderQuery, canSelect: boolean): Reader {
  const scroller = useRef<HTMLDivElement>(null);
  const { isReading, handlers } = useReading(scroller);
  const [cursorId, setCursorId] = useState<string>();
  const selected = useSelected();
  const { clear, toggle } = selected;
  const orders = useOrderRows(query, isReading || cursorId !== undefined || selected.count > 0);
  const { rows, showNewest } = orders;
  const cursor = useRowCursor(rows, cursorId, setCursorId);
  const leave = useCallback(() => {
    setCursorId(undefined);
    clear();
    scroller.current?.focus({ preventScroll: true });
  }, [clear]);
  const toNewest = useCallback(() => {
    leave();
    showNewest();
    scroller.current?.scrollTo({ top: 0 });
  }, [leave, showNewest]);
  useRowKeys({ cursor, rows, toggle: canSelect ? toggle : undefined, leave, toNewest });
  const before = useRef(query);
  useEffect(() => {
    if (before.current === query) return;
    // Another search: what was at hand of the one before is not any more.
    before.current = query;
    setCursorId(undefined);
    clear();
    scroller.current?.scrollTo({ top: 0 });
  }, [query, clear]);
  return { orders, scroller, handlers, cursor, selected, toNewest };
}

/** What keeps the rows from being all there are at this moment. */
function Stale({ orders: { staleBecause, missing } }: { orders: OrderRows }): ReactNode {
  if (!staleBecause && missing.length === 0) return null;
  return (
    <Alert color="yellow" variant="outline" role="status" p="xs">
      {staleBecause
        ? `${staleBecause.message} These orders are as they were before; they go on by themselves when that is over.`
        : `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not answer: orders there are missing here until it does. None is lost.`}
    </Alert>
  );
}

function Nothing({ query }: { query: OrderQuery }): ReactNode {
  const isOperator = useIsOperator();
  if (!isEmptyQuery(query)) {
    return (
      <Empty
        title="No order matches"
        action={
          <Button component={Link} to="/ui/orders" variant="default">
            Show all orders
          </Button>
        }
      >
        The search was <span className="mono foreign">{printQuery(query)}</span>. Customers, symbols and tracking ids are found by the whole
        word, as it is written, capitals too; ids by their beginning.
      </Empty>
    );
  }
  return (
    <Empty
      title="No orders yet"
      action={
        <Button component={Link} to="/ui/place">
          Place an order
        </Button>
      }
    >
      {isOperator ? (
        <>
          Place one, or have <Link to="/ui/generator">the generator</Link> place some. They appear here at once.
        </>
      ) : (
        'Orders that you place appear here at once.'
      )}
    </Empty>
  );
}
