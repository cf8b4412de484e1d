import { VisuallyHidden } from '@mantine/core';
import { type KeyboardEvent, memo, type ReactNode, type RefObject, useLayoutEffect, useRef } from 'react';
import { OrderLink } from '../../../parts/order-link.tsx';
import type { OrderQuery } from '../query/query.ts';
import type { OrderRow } from '../rows/order-row.ts';
import { type OrderRows, useFreshPage } from '../rows/use-order-rows.ts';
import type { Column } from './columns.tsx';
import type { RowCursor, Selected } from './row-cursor.ts';
import { useRowWindow } from './row-window.ts';
import classes from './table.module.css';

interface OrderTableProps {
  scroller: RefObject<HTMLDivElement | null>;
  orders: OrderRows;
  query: OrderQuery;
  columns: readonly Column[];
  nodeNames: ReadonlyMap<string, string>;
  cursor: RowCursor;
  /** Absent where nothing can be done with several orders. */
  selection?: Selected | undefined;
}

const ROW_PX = 30;
const HEAD_PX = 30;
const ID_PX = 112;
const CHECK_PX = 34;

/** Thousands of orders, of which only those in view are in the document. */
export function OrderTable({ scroller, orders, query, columns, nodeNames, cursor, selection }: OrderTableProps): ReactNode {
  const { rows } = orders;
  const { shown, abovePx, belowPx, scrolledPx } = useRowWindow(scroller, orders, cursor.index, { rowPx: ROW_PX, headPx: HEAD_PX });
  useFreshPage(query, shown[Math.floor(shown.length / 2)]?.index ?? 0);
  const isCursorShown = shown.some(({ index }) => index === cursor.index);
  const tabStop = isCursorShown ? cursor.index : (shown.find(({ start }) => start >= scrolledPx)?.index ?? 0);
  const widthPx = columns.reduce((sum, column) => sum + column.widthPx, ID_PX + (selection ? CHECK_PX : 0));
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    cursor.move(by);
  };
  return (
    <table
      className={classes['table']}
      style={{ minWidth: widthPx }}
      aria-rowcount={orders.hasOlder || orders.isFull ? -1 : rows.length + 1}
      aria-label="Orders, newest first"
    >
      <Head columns={columns} isSelectable={selection !== undefined} />
      <tbody onKeyDown={onKeyDown}>
        <Space heightPx={abovePx} />
        {shown.map(({ index }) => {
          const row = rows[index];
          return row ? (
            <Row
              key={row.order_id}
              row={row}
              index={index}
              columns={columns}
              nodeNames={nodeNames}
              isCursor={index === cursor.index}
              isTabStop={index === tabStop}
              onFocus={cursor.set}
              isSelected={selection?.has(row.order_id)}
              onToggle={selection?.toggle}
            />
          ) : null;
        })}
        <Space heightPx={belowPx} />
      </tbody>
    </table>
  );
}

function Head({ columns, isSelectable }: { columns: readonly Column[]; isSelectable: boolean }): ReactNode {
  return (
    <>
      <colgroup>
        {isSelectable ? <col style={{ width: CHECK_PX }} /> : null}
        <col style={{ width: ID_PX }} />
        {columns.map(({ key, widthPx }) => (
          <col key={key} style={{ width: widthPx }} />
        ))}
      </colgroup>
      <thead>
        <tr aria-rowindex={1}>
          {isSelectable ? (
            <th scope="col">
              <VisuallyHidden>Selected</VisuallyHidden>
            </th>
          ) : null}
          <th scope="col">Id</th>
          {columns.map(({ key, title, isNumber }) => (
            <th key={key} scope="col" className={isNumber ? classes['number'] : undefined}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
    </>
  );
}

function Space({ heightPx }: { heightPx: number }): ReactNode {
  return heightPx === 0 ? null : (
    <tr className={classes['space']} aria-hidden>
      <td style={{ height: heightPx }} />
    </tr>
  );
}

interface RowProps {
  row: OrderRow;
  index: number;
  columns: readonly Column[];
  nodeNames: ReadonlyMap<string, string>;
  isCursor: boolean;
  /** The one row that the tab key reaches; from there the arrows go on. */
  isTabStop: boolean;
  onFocus: (id: string) => void;
  isSelected: boolean | undefined;
  onToggle: ((row: OrderRow) => void) | undefined;
}

const Row = memo(function Row(props: RowProps): ReactNode {
  const { row, index, columns, nodeNames, isCursor, isTabStop, onFocus, isSelected, onToggle } = props;
  const id = row.order_id;
  const tabIndex = isTabStop ? 0 : -1;
  const element = useRef<HTMLTableRowElement>(null);
  useLayoutEffect(() => {
    if (isCursor && !element.current?.contains(document.activeElement)) element.current?.querySelector('a')?.focus({ preventScroll: true });
  }, [isCursor]);
  return (
    <tr ref={element} className={classes['row']} data-cursor={isCursor} aria-rowindex={index + 2} onFocus={() => onFocus(id)}>
      {onToggle ? (
        <td>
          <label className={classes['check']}>
            <input
              type="checkbox"
              checked={isSelected === true}
              onChange={() => onToggle(row)}
              tabIndex={tabIndex}
              aria-label={`Select order ${id}`}
            />
          </label>
        </td>
      ) : null}
      <th scope="row">
        <OrderLink id={id} tabIndex={tabIndex} />
      </th>
      {columns.map(({ key, cell, isNumber }) => (
        <td key={key} className={isNumber ? classes['number'] : undefined}>
          {cell(row, nodeNames)}
        </td>
      ))}
    </tr>
  );
});
