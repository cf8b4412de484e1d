import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ClusterJson, NodeJson } from '#gateway/api-cluster.ts';
import { clusterQuery, warehousesQuery } from '../../api/cluster.ts';
import type { ClusterSeen } from '../../api/happenings.ts';
import { useIsOperator } from '../../api/session.ts';
import { formatCount } from '../../format.ts';
import { Notice, Stale } from '../../parts/notice.tsx';
import { Page } from '../../parts/page.tsx';
import { Empty, Failure, Loading } from '../../parts/states.tsx';
import { Conflicts } from './conflicts.tsx';
import { DeedDialog, useAsking } from './deeds.tsx';
import { GoneNodes } from './gone.tsx';
import { Happened } from './happened.tsx';
import { JoinHint } from './join-hint.tsx';
import { WarehousePanel } from './warehouse.tsx';

const NODES_EVERY_MS = 1_000;
const WAREHOUSES_EVERY_MS = 2_000;
/** A node that died is still shown at its place for so long: one sees where it was. */
const LINGER_MS = 5_000;

export function Cluster(): ReactNode {
  const isOperator = useIsOperator();
  return <Page title="Cluster">{isOperator ? <ClusterContent /> : <ForOperators />}</Page>;
}

function ForOperators(): ReactNode {
  return <Empty title="For operators">Nodes and warehouses are shown to who is signed in as an operator.</Empty>;
}

function ClusterContent(): ReactNode {
  const { data, error, refetch } = useQuery({ ...clusterQuery, refetchInterval: NODES_EVERY_MS });
  if (!data) return error ? <Failure error={error} onRetry={() => void refetch()} /> : <Loading what="the cluster" />;
  return (
    <>
      {error ? <Stale at={data.cluster.generated_at} /> : <Summary cluster={data.cluster} />}
      <Seen seen={data} />
    </>
  );
}

function Summary({ cluster }: { cluster: ClusterJson }): ReactNode {
  const sum = (field: 'slots' | 'busy'): number => cluster.warehouses.reduce((total, one) => total + (one[field] ?? 0), 0);
  const { nodes_count: nodes } = cluster;
  return (
    <Text className="faint number" mt={-8}>
      {formatCount(nodes)} {nodes === 1 ? 'node' : 'nodes'} at work, {formatCount(sum('busy'))} of {formatCount(sum('slots'))} slots busy
    </Text>
  );
}

function Seen({ seen }: { seen: ClusterSeen }): ReactNode {
  const search = useSearch({ from: '/ui/cluster' });
  const navigate = useNavigate({ from: '/ui/cluster' });
  const health = useQuery({ ...warehousesQuery, refetchInterval: WAREHOUSES_EVERY_MS });
  const { asking, ask, close } = useAsking();
  const { cluster, happenings, since, longestLeaseMs } = seen;
  const wantedNode = search['node'];
  const gone = cluster.nodes.filter(({ state }) => state === 'dead').sort(byEnd);
  return (
    <>
      {wantedNode && !cluster.nodes.some(({ node_id: id }) => id === wantedNode) ? <UnknownNode id={wantedNode} /> : null}
      <Happened happenings={happenings} since={since} />
      {cluster.warehouses.map((one) => (
        <WarehousePanel
          key={one.name}
          cluster={one}
          health={health.data?.warehouses.find(({ name }) => name === one.name)}
          nodes={cluster.nodes.filter((node) => node.warehouse === one.name && isShownAtWork(node, cluster.generated_at))}
          longestLeaseMs={longestLeaseMs}
          wantedNode={wantedNode}
          onAsk={ask}
        />
      ))}
      {gone.length > 0 ? <GoneNodes nodes={gone} wantedNode={wantedNode} /> : null}
      <JoinHint warehouses={cluster.warehouses} />
      <Conflicts
        all={search['conflicts'] === 'all'}
        onAll={(all) => void navigate({ search: (before) => ({ ...before, conflicts: all ? 'all' : undefined }), replace: true })}
        onAsk={ask}
      />
      <DeedDialog asking={asking} nodes={cluster.nodes} onClose={close} />
    </>
  );
}

function UnknownNode({ id }: { id: string }): ReactNode {
  return (
    <Notice>
      No node <span className="mono foreign">{id}</span> is at work, and none with this id ended within the hour.
    </Notice>
  );
}

function isShownAtWork({ state, ended_at: endedAt }: NodeJson, now: string): boolean {
  return state !== 'dead' || (endedAt !== undefined && Date.parse(now) - Date.parse(endedAt) < LINGER_MS);
}

function byEnd(one: NodeJson, other: NodeJson): number {
  return (other.ended_at ?? '').localeCompare(one.ended_at ?? '');
}
