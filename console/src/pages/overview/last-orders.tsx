import { Title } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, memo, type ReactNode, useMemo, useState } from 'react';
import type { OrderPageJson } from '#gateway/api.ts';
import { get } from '../../api/client.ts';
import { useLiveRefresh } from '../../api/refresh.ts';
import { shortId } from '../../format.ts';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Status, wordOf } from '../../parts/status.tsx';
import { StepCell } from '../../parts/step-cell.tsx';
import { Ago } from '../../parts/time.tsx';
import { columnOf, holdPlaces, rowsOf, type SteppedSummary } from './grid.ts';
import classes from './overview.module.css';

const SHOWN = 60;
const KEY = ['orders', 'last'];
const REFRESH_EVERY_MS = 2_000;
/** Where no events arrive. */
const LOOK_EVERY_MS = 5_000;

/** The last orders and their steps at one glance: a column for each order, newest first. */
export function LastOrders(): ReactNode {
  const { data, error, refetch, isPending } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => get<OrderPageJson>('/orders', { query: { include: 'steps', limit: SHOWN }, signal }),
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_EVERY_MS,
  });
  useLiveRefresh(KEY, REFRESH_EVERY_MS);
  return (
    <section className={`panel ${classes['section']}`} aria-labelledby="last-orders">
      <div className={classes['panelHead']}>
        <Title order={2} id="last-orders">
          The last orders
        </Title>
        <Link to="/ui/orders">All orders</Link>
      </div>
      {isPending ? (
        <div className={classes['lastSpace']}>
          <Loading what="orders" />
        </div>
      ) : null}
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : null}
      {data?.orders.length === 0 ? <NoOrders /> : null}
      {data && data.orders.length > 0 ? <Grid latest={data.orders} /> : null}
    </section>
  );
}

function NoOrders(): ReactNode {
  return (
    <Empty title="No orders yet">
      <Link to="/ui/place">Place one</Link>, or let the <Link to="/ui/generator">generator</Link> do it.
    </Empty>
  );
}

function Grid({ latest }: { latest: readonly SteppedSummary[] }): ReactNode {
  const [held, setHeld] = useState<readonly SteppedSummary[]>();
  const [pointed, setPointed] = useState<string>();
  const orders = useMemo(() => (held ? holdPlaces(held, latest) : latest), [held, latest]);
  const columns = useMemo(() => orders.map(columnOf), [orders]);
  const rows = useMemo(() => rowsOf(columns), [columns]);
  const hold = (): void => setHeld((before) => before ?? latest);
  const release = (): void => setHeld(undefined);
  const told = orders.find(({ order_id: id }) => id === pointed);
  const first = told ?? orders[0];
  return (
    <>
      <div className={classes['grid']}>
        <div className={classes['rowNames']} aria-hidden>
          {rows.map((name) => (
            <span key={name}>{name}</span>
          ))}
          <span>Status</span>
        </div>
        <ol
          className={classes['columns']}
          aria-label="The last orders, newest first"
          onPointerEnter={hold}
          onPointerLeave={release}
          onFocus={hold}
          onBlur={(event) => {
            if (!event.currentTarget.contains(event.relatedTarget)) release();
          }}
          onKeyDown={walk}
        >
          {orders.map((order) => (
            <Column key={order.order_id} order={order} rows={rows} isReached={order === first} onPoint={setPointed} />
          ))}
        </ol>
      </div>
      <p className={`faint ${classes['told']}`}>
        {told ? <Told order={told} /> : 'Point at an order, or walk through them with the arrow keys.'}
      </p>
    </>
  );
}

interface ColumnProps {
  order: SteppedSummary;
  rows: readonly string[];
  /** One of the columns is reached by Tab, the others by arrow keys. */
  isReached: boolean;
  onPoint: (id: string) => void;
}

const Column = memo(function Column({ order, rows, isReached, onPoint }: ColumnProps): ReactNode {
  const { order_id: id, status } = order;
  const { cells } = columnOf(order);
  const says = [...cells.values()].map((cell) => cell.says).join('; ');
  const point = (): void => onPoint(id);
  return (
    <li>
      <Link
        to="/ui/orders/$id"
        params={{ id }}
        preload={false}
        className={classes['column']}
        aria-label={`${shortId(id)}: ${wordOf(status)}; ${says}`}
        tabIndex={isReached ? 0 : -1}
        onPointerEnter={point}
        onFocus={point}
        data-order={id}
        data-status={status}
      >
        {rows.map((name) => {
          const cell = cells.get(name);
          return cell ? <StepCell key={name} state={cell.state} says={cell.says} /> : <span key={name} className={classes['noStep']} />;
        })}
        <span className={`state ${classes['dot']}`} data-state={status} title={wordOf(status)} />
      </Link>
    </li>
  );
});

function Told({ order }: { order: SteppedSummary }): ReactNode {
  const { order_id: id, status, start_time: at, warehouse, customer_name: customer, steps } = order;
  const fault = steps?.findLast(({ error }) => error);
  return (
    <>
      <span className="mono">{shortId(id)}</span>
      <Status status={status} />
      <span>
        accepted <Ago at={at} />
      </span>
      <span>{warehouse}</span>
      {customer ? <span className="foreign">{customer}</span> : null}
      {fault ? (
        <span className="foreign">
          {fault.step_name}: {fault.error?.message}
        </span>
      ) : null}
    </>
  );
}

/** Arrow keys go from order to order. */
function walk(event: KeyboardEvent<HTMLOListElement>): void {
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('a')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: links.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  links[to]?.focus();
}
