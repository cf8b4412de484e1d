import { Button, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ClusterJson, NodeJson } from '#gateway/api-cluster.ts';
import type { WarehouseJson } from '#gateway/api-warehouses.ts';
import { formatCount } from '../../format.ts';
import { Ago } from '../../parts/time.tsx';
import { WarehouseStatus } from '../../parts/tone.tsx';
import classes from './cluster.module.css';
import { NodeTile } from './node-tile.tsx';
import type { AskFor } from './words.ts';

export interface WarehousePanelProps {
  /** As its database tells of it. */
  cluster: ClusterJson['warehouses'][number];
  /** As the gateway sees it; comes a moment later. */
  health: WarehouseJson | undefined;
  nodes: readonly NodeJson[];
  longestLeaseMs: number;
  wantedNode: string | undefined;
  onAsk: (ask: AskFor) => void;
}

/** One warehouse: how it is, who leads it, its nodes. */
export function WarehousePanel({ cluster, health, nodes, longestLeaseMs, wantedNode, onAsk }: WarehousePanelProps): ReactNode {
  const { name } = cluster;
  const headingId = `warehouse-${name}`;
  return (
    <section className={`panel ${classes['warehouse']}`} aria-labelledby={headingId} data-warehouse={name}>
      <div className={classes['warehouseHead']}>
        <Title order={2} id={headingId}>
          {name}
        </Title>
        <WarehouseStatus status={cluster.status === 'unavailable' ? 'unavailable' : (health?.status ?? cluster.status)} />
        <span className={classes['spring']} />
        {health ? <Routing name={name} isDisabled={health.disabled !== undefined} onAsk={onAsk} /> : null}
      </div>
      <Because health={health} />
      {cluster.status === 'unavailable' ? null : <Facts cluster={cluster} health={health} />}
      {nodes.length > 0 ? (
        <div className={classes['tiles']}>
          {nodes.map((node) => (
            <NodeTile
              key={`${node.node_id} ${node.session}`}
              node={node}
              longestLeaseMs={longestLeaseMs}
              isWanted={node.node_id === wantedNode}
              onAsk={onAsk}
            />
          ))}
        </div>
      ) : (
        <p className="faint">
          {cluster.status === 'unavailable'
            ? 'Its database does not answer, so its nodes are not seen. It goes on by itself as soon as the database answers.'
            : 'No node works its orders: they wait. Add one, as said below.'}
        </p>
      )}
    </section>
  );
}

function Routing({ name, isDisabled, onAsk }: { name: string; isDisabled: boolean; onAsk: (ask: AskFor) => void }): ReactNode {
  const does = isDisabled ? 'enable' : 'disable';
  return (
    <Button variant="default" onClick={() => onAsk({ does, warehouse: name })} aria-label={`${isDisabled ? 'Enable' : 'Disable'} ${name}`}>
      {isDisabled ? 'Enable …' : 'Disable …'}
    </Button>
  );
}

/** What is wrong with it, in words. */
function Because({ health }: { health: WarehouseJson | undefined }): ReactNode {
  if (!health) return null;
  const { because, away_since: awaySince, disabled, gate } = health;
  if (!because && !disabled && gate?.open !== false) return null;
  return (
    <div className={classes['because']}>
      {because ? (
        <p className="foreign">
          {because}
          {awaySince ? (
            <>
              {' '}
              (<Ago at={awaySince} />)
            </>
          ) : null}
        </p>
      ) : null}
      {disabled ? (
        <p className="foreign">
          Disabled by {disabled.by} <Ago at={disabled.at} />
          {disabled.reason ? `: ${disabled.reason}` : ''}
        </p>
      ) : null}
      {gate?.open === false ? (
        <p>
          Its gate is shut after an outage: orders with keys wait until the keys were compared with the other warehouses
          {gate.compared.length > 0 ? ` (done: ${gate.compared.join(', ')})` : ''}.
        </p>
      ) : null}
    </div>
  );
}

function Facts({ cluster, health }: { cluster: WarehousePanelProps['cluster']; health: WarehouseJson | undefined }): ReactNode {
  const { name, slots = 0, busy = 0, leader_name: leaderName, leader_node_id: leaderId, leader_term: term } = cluster;
  return (
    <dl className={classes['facts']}>
      <Fact name="Slots busy">
        {formatCount(busy)} of {formatCount(slots)}
      </Fact>
      {health?.orders ? (
        <>
          <Fact name="Waiting">
            <Link to="/ui/orders" search={{ q: `status:queued warehouse:${name}` }}>
              {formatCount(health.orders.queued)}
            </Link>
          </Fact>
          <Fact name="Running">
            <Link to="/ui/orders" search={{ q: `status:processing warehouse:${name}` }}>
              {formatCount(health.orders.running)}
            </Link>
          </Fact>
        </>
      ) : null}
      {health?.load === undefined ? null : <Fact name="Orders per slot">{health.load}</Fact>}
      {leaderId ? (
        <Fact name="Leader">
          <Link to="/ui/cluster" search={{ node: leaderId }} className="foreign">
            {leaderName}
          </Link>{' '}
          <span className="faint">term {term}</span>
        </Fact>
      ) : (
        <Fact name="Leader">none</Fact>
      )}
      {health?.open_conflicts ? (
        <Fact name="Conflicts">
          <a href="#conflicts">{formatCount(health.open_conflicts)}</a>
        </Fact>
      ) : null}
      {health?.fallback.length ? <Fact name="Fallback">{health.fallback.join(', ')}</Fact> : null}
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="number">{children}</dd>
    </div>
  );
}
