import type { ApiClient } from './client.ts';
import { CommandFault, EXIT } from './faults.ts';
import type { Column, Style } from './print.ts';

/** The cluster as the gateway answers it, as far as the commands read it. */
export interface ShownCluster {
  leader_name?: string;
  nodes_count: number;
  nodes: ShownNode[];
  warehouses: ShownWarehouse[];
  generated_at: string;
}

export interface ShownNode {
  name: string;
  node_id: string;
  connection_string?: string;
  connected: boolean;
  last_activity: string;
  warehouse: string;
  slots: number;
  busy: number;
  session: number;
  state: string;
  asked?: string;
  is_leader: boolean;
  liveness: boolean;
  lease_ms: number;
  takeovers: number;
  handed_over: number;
  fenced_writes: number;
  version: string;
  ended_at?: string;
  ended_reason?: string;
}

export interface ShownWarehouse {
  name: string;
  status: string;
  leader_name?: string;
  leader_term?: number;
  nodes?: number;
  slots?: number;
  busy?: number;
}

const STATE_STYLES: Record<string, Style> = { live: 'green', draining: 'yellow', dead: 'red' };

export const NODE_COLUMNS: Column<ShownNode>[] = [
  { title: 'NODE', text: (node) => node.name },
  { title: 'WAREHOUSE', text: (node) => node.warehouse },
  { title: 'STATE', text: describeState, style: (node) => STATE_STYLES[node.state] },
  { title: 'ROLE', text: (node) => (node.is_leader ? 'leader' : '') },
  { title: 'BUSY', text: (node) => `${node.busy}/${node.slots}` },
  { title: 'SESSION', text: (node) => String(node.session) },
  { title: 'LEASE', text: (node) => (node.state === 'dead' ? '' : `${(node.lease_ms / 1_000).toFixed(1)}s`) },
  { title: 'TAKEOVERS', text: (node) => String(node.takeovers) },
  { title: 'HANDED OVER', text: (node) => String(node.handed_over) },
  { title: 'FENCED WRITES', text: (node) => String(node.fenced_writes) },
  { title: 'LAST ACTIVITY', text: (node) => node.last_activity },
  { title: 'OPERATIONS', text: (node) => node.connection_string ?? '', wide: true },
  { title: 'LIVENESS', text: (node) => (node.liveness ? 'held' : 'lease only'), wide: true },
  { title: 'VERSION', text: (node) => node.version, wide: true },
  { title: 'NODE ID', text: (node) => node.node_id, wide: true },
];

export const WAREHOUSE_COLUMNS: Column<ShownWarehouse>[] = [
  { title: 'WAREHOUSE', text: (row) => row.name },
  { title: 'STATUS', text: (row) => row.status, style: (row) => (row.status === 'OK' ? 'green' : 'red') },
  { title: 'LEADER', text: (row) => row.leader_name ?? 'none' },
  { title: 'TERM', text: (row) => (row.leader_term === undefined ? '' : String(row.leader_term)) },
  { title: 'NODES', text: (row) => String(row.nodes ?? '?') },
  { title: 'BUSY', text: (row) => (row.slots === undefined ? '?' : `${row.busy}/${row.slots}`) },
];

function describeState({ state, asked, ended_reason }: ShownNode): string {
  if (state === 'dead') return `gone (${ended_reason?.replaceAll('_', ' ') ?? 'unknown'})`;
  return asked === undefined || (asked === 'drain' && state === 'draining') ? state : `${state}, asked to ${asked}`;
}

export async function readCluster(client: ApiClient): Promise<ShownCluster> {
  return (await client.call({ method: 'GET', path: '/diagnostic/cluster' })) as ShownCluster;
}

/** The node of this id or name; a name that several or none have is refused with those that there are. */
export async function findNode(client: ApiClient, idOrName: string): Promise<ShownNode> {
  const { nodes } = await readCluster(client);
  const wanted = idOrName.toLowerCase();
  const found = nodes.filter(({ node_id, name }) => node_id === wanted || name.toLowerCase() === wanted);
  // A node has one session at work; older ones of the same node are its past.
  const node = found.find(({ state }) => state !== 'dead') ?? found[0];
  if (node && new Set(found.map(({ node_id }) => node_id)).size === 1) return node;
  const known = nodes.map(({ name, node_id }) => `  ${name}  ${node_id}`);
  if (!node) throw new CommandFault(EXIT.failed, [`no node has the id or name ${JSON.stringify(idOrName)}; known:`, ...known].join('\n'));
  const several = found.map(({ node_id }) => `  ${node_id}`);
  throw new CommandFault(
    EXIT.usage,
    [`${found.length} nodes are called ${JSON.stringify(idOrName)}:`, ...several].join('\n'),
    'Name one by its id.',
  );
}
