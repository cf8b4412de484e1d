import { Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import type { NodeJson } from '#gateway/api-cluster.ts';
import type { WarehouseJson } from '#gateway/api-warehouses.ts';
import { clusterQuery, warehousesQuery } from '../../api/cluster.ts';
import { formatCount } from '../../format.ts';
import { Failure, Loading } from '../../parts/states.tsx';
import { WarehouseStatus } from '../../parts/tone.tsx';
import classes from './overview.module.css';

const LOOK_EVERY_MS = 2_000;

/** How the warehouses are, and how full their nodes. */
export function Warehouses(): ReactNode {
  const { data, error, refetch } = useQuery({ ...warehousesQuery, refetchInterval: LOOK_EVERY_MS });
  const cluster = useQuery({ ...clusterQuery, refetchInterval: LOOK_EVERY_MS });
  const nodes = cluster.data?.cluster.nodes.filter(({ state }) => state !== 'dead') ?? [];
  return (
    <section className={`panel ${classes['section']}`} aria-labelledby="warehouses">
      <div className={classes['panelHead']}>
        <Title order={2} id="warehouses">
          Warehouses and nodes
        </Title>
        <Link to="/ui/cluster">The cluster</Link>
      </div>
      {!data && !error ? <Loading what="warehouses" /> : null}
      {error && !data ? <Failure error={error} onRetry={() => void refetch()} /> : null}
      {cluster.error && !cluster.data ? <Failure error={cluster.error} onRetry={() => void cluster.refetch()} /> : null}
      {data?.warehouses.map((warehouse) => (
        <WarehouseRow key={warehouse.name} warehouse={warehouse} nodes={nodes.filter((node) => node.warehouse === warehouse.name)} />
      ))}
    </section>
  );
}

function WarehouseRow({ warehouse, nodes }: { warehouse: WarehouseJson; nodes: readonly NodeJson[] }): ReactNode {
  const { name, status, because, orders } = warehouse;
  return (
    <div className={classes['warehouse']} data-warehouse={name}>
      <div className={classes['health']}>
        <h3>{name}</h3>
        <WarehouseStatus status={status} />
        {orders ? (
          <span className="number">
            <Link to="/ui/orders" search={{ q: `status:queued warehouse:${name}` }}>
              {formatCount(orders.queued)} waiting
            </Link>
            ,{' '}
            <Link to="/ui/orders" search={{ q: `status:processing warehouse:${name}` }}>
              {formatCount(orders.running)} running
            </Link>
          </span>
        ) : null}
        {because ? <span className="faint foreign">{because}</span> : null}
      </div>
      {nodes.length > 0 ? (
        <ul className={classes['nodes']}>
          {nodes.map(({ node_id: id, session, name: nodeName, busy, slots, state }) => (
            <NodeBar key={`${id} ${session}`} id={id} name={nodeName} busy={busy} slots={slots} state={state} />
          ))}
        </ul>
      ) : null}
    </div>
  );
}

interface NodeBarProps extends Pick<NodeJson, 'name' | 'busy' | 'slots' | 'state'> {
  id: string;
}

const NodeBar = memo(function NodeBar({ id, name, busy, slots, state }: NodeBarProps): ReactNode {
  return (
    <li>
      <Link to="/ui/cluster" search={{ node: id }} preload={false} className={classes['node']} data-node={id}>
        <span className={`foreign ${classes['nodeName']}`} title={name}>
          {name}
          {state === 'draining' ? ' (draining)' : ''}
        </span>
        <span className="number">
          {formatCount(busy)} of {formatCount(slots)}
        </span>
        <span className={classes['bar']} aria-hidden>
          <span style={{ width: `${Math.min(100, (busy / Math.max(1, slots)) * 100)}%` }} />
        </span>
      </Link>
    </li>
  );
});
