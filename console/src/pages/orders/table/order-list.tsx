import type { ReactNode, RefObject } from 'react';
import { OrderLink } from '../../../parts/order-link.tsx';
import { Status } from '../../../parts/status.tsx';
import { Ago } from '../../../parts/time.tsx';
import type { OrderQuery } from '../query/query.ts';
import type { OrderRow } from '../rows/order-row.ts';
import { type OrderRows, useFreshPage } from '../rows/use-order-rows.ts';
import { stepOf } from './columns.tsx';
import { useRowWindow } from './row-window.ts';
import classes from './table.module.css';

const ITEM_PX = 58;

interface OrderListProps {
  scroller: RefObject<HTMLDivElement | null>;
  orders: OrderRows;
  query: OrderQuery;
  cursorIndex: number;
}

/** The orders on a phone: two lines each. */
export function OrderList({ scroller, orders, query, cursorIndex }: OrderListProps): ReactNode {
  const { shown, heightPx } = useRowWindow(scroller, orders, cursorIndex, { rowPx: ITEM_PX, headPx: 0 });
  useFreshPage(query, shown[Math.floor(shown.length / 2)]?.index ?? 0);
  return (
    <ul className={classes['list']} style={{ height: heightPx }} aria-label="Orders, newest first">
      {shown.map(({ index, start }) => {
        const row = orders.rows[index];
        return row ? <Item key={row.order_id} row={row} topPx={start} /> : null;
      })}
    </ul>
  );
}

function Item({ row, topPx }: { row: OrderRow; topPx: number }): ReactNode {
  const about = [stepOf(row), row.customer_name, row.region ?? row.warehouse, row.symbol].filter((text) => text !== undefined);
  return (
    <li className={classes['item']} style={{ transform: `translateY(${topPx}px)` }}>
      <span>
        <OrderLink id={row.order_id} />
      </span>
      <span className={classes['right']}>
        <Status status={row.status} />
      </span>
      <span className={classes['clipped']}>
        {about.map((text, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts have no other name.
          <span key={index}>
            {index > 0 ? ' · ' : null}
            <span className="foreign">{text}</span>
          </span>
        ))}
      </span>
      <span className={`faint ${classes['right']}`}>
        <Ago at={row.start_time} />
      </span>
    </li>
  );
}
