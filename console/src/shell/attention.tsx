import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { OrderPageJson } from '#gateway/api.ts';
import { get } from '../api/client.ts';
import { warehousesQuery } from '../api/cluster.ts';
import classes from './shell.module.css';

const LOOK_EVERY_MS = 5_000;

/** What needs a person, on every page, until nothing does. */
export function AttentionBanner(): ReactNode {
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
          {stopped.data?.has_more ? `more than ${orders}` : orders} {orders === 1 ? 'order' : 'orders'} stopped
        </Link>
      ) : null}
      {ailing.map(({ name, status, because }) => (
        <Link key={name} to="/ui/cluster">
          Warehouse {name} {because ?? `is ${status}`}
        </Link>
      ))}
      {conflicts > 0 ? (
        <Link to="/ui/cluster">
          {conflicts} {conflicts === 1 ? 'conflict of keys' : 'conflicts of keys'} to look at
        </Link>
      ) : null}
    </section>
  );
}
