import type { ReactNode } from 'react';
import { formatCount, formatDuration, formatMoney, shortId } from '../../../format.ts';
import { Status } from '../../../parts/status.tsx';
import { hasEnded } from '../../../parts/step-names.ts';
import { Ago, useNow } from '../../../parts/time.tsx';
import type { OrderRow } from '../rows/order-row.ts';
import classes from './table.module.css';

/** What the table can show of an order; a column each. */
export interface Column {
  key: string;
  title: string;
  widthPx: number;
  isNumber?: boolean;
  cell: (row: OrderRow, nodeNames: ReadonlyMap<string, string>) => ReactNode;
}

/** The order's id is a column of its own, always there: it is the way to the order. */
export const COLUMNS: readonly Column[] = [
  { key: 'status', title: 'Status', widthPx: 118, cell: ({ status }) => <Status status={status} /> },
  { key: 'customer', title: 'Customer', widthPx: 106, cell: ({ customer_name: text }) => <Foreign text={text} /> },
  { key: 'region', title: 'Region', widthPx: 62, cell: ({ region }) => <Foreign text={region} /> },
  { key: 'warehouse', title: 'Warehouse', widthPx: 86, cell: ({ warehouse }) => warehouse },
  { key: 'symbol', title: 'Symbol', widthPx: 66, cell: ({ symbol }) => <Foreign text={symbol} /> },
  { key: 'quantity', title: 'Quantity', widthPx: 72, isNumber: true, cell: ({ quantity }) => formatCount(quantity) },
  { key: 'step', title: 'Step', widthPx: 120, cell: (row) => <Foreign text={stepOf(row)} /> },
  { key: 'accepted', title: 'Accepted', widthPx: 92, cell: ({ start_time: at }) => <Ago at={at} /> },
  { key: 'took', title: 'Took', widthPx: 78, cell: (row) => <Took row={row} /> },
  {
    key: 'price',
    title: 'Price',
    widthPx: 90,
    isNumber: true,
    cell: ({ execution_price: price }) => (price === undefined ? null : formatMoney(price)),
  },
  { key: 'node', title: 'Node', widthPx: 120, cell: ({ node_id: id }, names) => (id === undefined ? null : nameOf(id, names)) },
  { key: 'waiting', title: 'Waits because', widthPx: 280, cell: ({ waiting_because: because }) => <Foreign text={because?.message} /> },
  { key: 'tracking', title: 'Tracking id', widthPx: 150, cell: ({ tracking_id: text }) => <Foreign text={text} /> },
];

const USUAL = ['status', 'customer', 'region', 'warehouse', 'symbol', 'quantity', 'step', 'accepted', 'took', 'price'];

export const USUAL_COLUMNS: readonly Column[] = COLUMNS.filter(({ key }) => USUAL.includes(key));

/** The columns that a text such as `status,step` names, in the table's order; the usual ones where it names none. */
export function columnsOf(text: string | undefined): readonly Column[] {
  const keys = new Set(text?.split(','));
  const chosen = COLUMNS.filter(({ key }) => keys.has(key));
  return chosen.length > 0 ? chosen : USUAL_COLUMNS;
}

export function textOfColumns(columns: readonly Column[]): string {
  return columns.map(({ key }) => key).join(',');
}

function nameOf(id: string, names: ReadonlyMap<string, string>): ReactNode {
  return <span title={id}>{names.get(id) ?? shortId(id)}</span>;
}

/** Where the order is on its way; nothing of one that has ended: its status says how. */
export function stepOf(row: OrderRow): string | undefined {
  return hasEnded(row) ? undefined : row.current_step;
}

/** What a customer typed, on one line; all of it on hover. */
function Foreign({ text }: { text: string | undefined }): ReactNode {
  return text === undefined ? null : (
    <span className={`foreign ${classes['clipped']}`} title={text}>
      {text}
    </span>
  );
}

/** How long the order took, or how long it has been under way. */
function Took({ row }: { row: OrderRow }): ReactNode {
  return row.complete_time !== undefined || hasEnded(row) ? (
    <span className="number">{formatDuration(Date.parse(row.complete_time ?? row.start_time) - Date.parse(row.start_time))}</span>
  ) : (
    <SoFar since={row.start_time} />
  );
}

function SoFar({ since }: { since: string }): ReactNode {
  const now = useNow();
  // The gateway's clock may be a little ahead of the reader's.
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1_000));
  return <span className="number faint">{seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000)} …</span>;
}
