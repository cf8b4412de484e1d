import { Loader } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ReactNode, type RefObject, useCallback, useEffect, useState } from 'react';
import { formatCount } from '../../../format.ts';
import { Failure } from '../../../parts/states.tsx';
import { type OrderQuery, printQuery } from '../query/query.ts';
import { MAX_ROWS, PAGE_ROWS } from '../rows/order-pages.ts';
import type { OrderRows } from '../rows/use-order-rows.ts';
import classes from './table.module.css';

const NEAR_TOP_PX = 8;

/** Who comes back to the page is where they were before; until then the rows stay. */
const BACK_AFTER_MS = 200;

/** Whether somebody is reading the rows: then none of them moves. */
export function useReading(scroller: RefObject<HTMLDivElement | null>): { isReading: boolean; handlers: ReadingHandlers } {
  const [isOver, setOver] = useState(false);
  const [isBelowTop, setBelowTop] = useState(true);
  const look = useCallback(() => setBelowTop((scroller.current?.scrollTop ?? 0) > NEAR_TOP_PX), [scroller]);
  useEffect(() => {
    const timer = setTimeout(look, BACK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [look]);
  const handlers: ReadingHandlers = {
    onPointerEnter: useCallback(({ pointerType }) => setOver(pointerType === 'mouse'), []),
    onPointerLeave: useCallback(() => setOver(false), []),
    onScroll: look,
  };
  return { isReading: isOver || isBelowTop, handlers };
}

export interface ReadingHandlers {
  onPointerEnter: (event: { pointerType: string }) => void;
  onPointerLeave: () => void;
  onScroll: () => void;
}

interface OrderFrameProps {
  scroller: RefObject<HTMLDivElement | null>;
  orders: OrderRows;
  query: OrderQuery;
  handlers: ReadingHandlers;
  onNewest: () => void;
  /** Lies over the lower edge: rows are not moved by it while somebody points at them. */
  foot?: ReactNode;
  children: ReactNode;
}

/** Where the orders scroll: as high as the window has room, with what waits above and what follows below. */
export function OrderFrame({ scroller, orders, query, handlers, onNewest, foot, children }: OrderFrameProps): ReactNode {
  return (
    <div className={classes['frame']}>
      {orders.newCount > 0 ? (
        <button type="button" className={classes['pill']} onClick={onNewest}>
          {sayNew(orders.newCount)}
        </button>
      ) : null}
      {/* biome-ignore lint/a11y/useSemanticElements: what scrolls is reached by the keyboard, and says what it is. */}
      <div
        ref={scroller}
        className={`panel ${classes['scroller']}`}
        role="region"
        aria-label="Orders"
        aria-busy={orders.isOld}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard.
        tabIndex={0}
        data-scroll-restoration-id="orders"
        {...handlers}
      >
        {children}
        <End orders={orders} query={query} />
      </div>
      <div className={classes['foot']}>{foot}</div>
    </div>
  );
}

function sayNew(count: number): string {
  if (count >= PAGE_ROWS) return `${PAGE_ROWS} or more new orders`;
  return count === 1 ? '1 new order' : `${count} new orders`;
}

function End({ orders, query }: { orders: OrderRows; query: OrderQuery }): ReactNode {
  if (orders.error) return <Failure error={orders.error} onRetry={orders.retry} />;
  if (orders.hasOlder) {
    return (
      <div className={classes['end']}>
        <Loader size={12} /> Older orders follow …
      </div>
    );
  }
  const oldest = orders.rows.at(-1);
  if (!orders.isFull || !oldest) return null;
  // The bound is shut out: a millisecond later, so that no order of the same moment is left out.
  const until = new Date(Date.parse(oldest.start_time) + 1).toISOString();
  return (
    <div className={classes['end']}>
      {formatCount(MAX_ROWS)} orders are shown; there are more. Narrow the search, or
      <Link to="/ui/orders" search={{ q: printQuery({ ...query, until }) }}>
        go on from here
      </Link>
    </div>
  );
}
