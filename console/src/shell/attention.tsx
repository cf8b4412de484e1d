import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { OrderPageJson } from '#gateway/api.ts';
import { get } from '../api/client.ts';
import { warehousesQuery } from '../api/cluster.ts';
import { countOf } from '../format.ts';
import { wordOfWarehouse } from '../parts/tone.tsx';
import classes from './shell.module.css';

const LOOK_EVERY_MS = 5_000;

/** What needs a person, on every page, until nothing does. It stands in the header: what one is reading stays where it is when it comes. */
export function Attention(): ReactNode {
  const warehouses = useQuery({ ...warehousesQuery, refetchInterval: LOOK_EVERY_MS });
  const stopped = useQuery({
    queryKey: ['orders', 'stopped'],
    queryFn: ({ signal }) => get<OrderPageJson>('/orders', { query: { status: 'needs_attention', limit: 10 }, signal }),
    refetchInterval: LOOK_EVERY_MS,
  });
  const ailing = (warehouses.data?.warehouses ?? []).filter(({ status }) => status !== 'OK');
  const conflicts = (warehouses.data?.warehouses ?? []).reduce((sum, { open_conflicts: open = 0 }) => sum + open, 0);
  const orders = stopped.data?.orders.length ?? 0;
  if (ailing.length === 0 && conflicts === 0 && orders === 0) return null;
  return (
    <section className={classes['attention']} aria-label="Needs a person">
      <strong>Needs a person</strong>
      {orders > 0 ? (
        <Link to="/ui/orders" search={{ q: 'status:needs_attention' }}>
          {stopped.data?.has_more ? 'more than ' : ''}
          {countOf(orders, 'order')} stopped
        </Link>
      ) : null}
      {ailing.map(({ name, status, because }) => (
        <Link key={name} to="/ui/cluster">
          <span className={classes['word']}>Warehouse </span>
          {name}: {because ?? wordOfWarehouse(status)}
        </Link>
      ))}
      {conflicts > 0 ? <Link to="/ui/cluster">{countOf(conflicts, 'conflict')} of keys to look at</Link> : null}
    </section>
  );
}
