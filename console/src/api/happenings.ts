import type { ClusterJson, NodeJson } from '#gateway/api-cluster.ts';
import { countOf } from '../format.ts';

/** What became of the cluster between two answers of `GET /diagnostic/cluster`, in words. Pure. */

export type Tone = 'good' | 'calm' | 'warn' | 'bad';

export interface Happening {
  id: number;
  at: string;
  tone: Tone;
  warehouse: string;
  nodeId?: string;
  text: string;
}

/** The latest answer with what the earlier ones teach about it. */
export interface ClusterSeen {
  cluster: ClusterJson;
  /** The latest that is known of every warehouse's nodes, also of those whose warehouse does not answer now. */
  known: readonly NodeJson[];
  /** Newest first. */
  happenings: readonly Happening[];
  /** When the first answer came: happenings are told from there on. */
  since: string;
  /** The longest lease that was seen, the measure of all others. */
  longestLeaseMs: number;
}

type News = Omit<Happening, 'id'>;

const MAX_KEPT = 100;
const USUAL_LEASE_MS = 3_000;

export function lookAgain(before: ClusterSeen | undefined, cluster: ClusterJson): ClusterSeen {
  const silent = new Set(cluster.warehouses.filter(({ status }) => status === 'unavailable').map(({ name }) => name));
  const known = [...cluster.nodes, ...(before?.known ?? []).filter(({ warehouse }) => silent.has(warehouse))];
  const news = before ? compare(before, cluster, known) : [];
  const lastId = before?.happenings[0]?.id ?? 0;
  const told = news
    .toSorted((one, other) => one.at.localeCompare(other.at))
    .map((one, index) => ({ ...one, id: lastId + index + 1 }))
    .reverse();
  return {
    cluster,
    known,
    happenings: [...told, ...(before?.happenings ?? [])].slice(0, MAX_KEPT),
    since: before?.since ?? cluster.generated_at,
    longestLeaseMs: Math.max(before?.longestLeaseMs ?? USUAL_LEASE_MS, ...cluster.nodes.map(({ lease_ms: left }) => left)),
  };
}

function compare(before: ClusterSeen, cluster: ClusterJson, known: readonly NodeJson[]): News[] {
  return cluster.warehouses.flatMap(({ name }) => {
    const ofWarehouse = ({ warehouse }: NodeJson): boolean => warehouse === name;
    return [
      ...compareWarehouse(name, before.cluster, cluster),
      ...compareNodes(before.known.filter(ofWarehouse), known.filter(ofWarehouse), cluster.generated_at),
      ...compareLeader(name, before.cluster, cluster),
    ];
  });
}

function compareWarehouse(warehouse: string, before: ClusterJson, cluster: ClusterJson): News[] {
  const was = before.warehouses.find(({ name }) => name === warehouse)?.status;
  const is = cluster.warehouses.find(({ name }) => name === warehouse)?.status;
  if (was === undefined || was === is) return [];
  const at = cluster.generated_at;
  if (is === 'unavailable') return [{ at, tone: 'bad', warehouse, text: 'does not answer; what its nodes do is not seen' }];
  if (is === 'no_nodes') return [{ at, tone: 'warn', warehouse, text: 'has no node that takes orders' }];
  return [{ at, tone: 'good', warehouse, text: was === 'unavailable' ? 'answers again' : 'has a node that takes orders again' }];
}

function compareLeader(warehouse: string, before: ClusterJson, cluster: ClusterJson): News[] {
  const was = before.warehouses.find(({ name }) => name === warehouse);
  const is = cluster.warehouses.find(({ name }) => name === warehouse);
  if (!is?.leader_node_id || !was || was.status === 'unavailable' || was.leader_node_id === is.leader_node_id) return [];
  return [{ at: cluster.generated_at, tone: 'calm', warehouse, nodeId: is.leader_node_id, text: `${is.leader_name} leads now` }];
}

function compareNodes(before: readonly NodeJson[], now: readonly NodeJson[], at: string): News[] {
  const vanished = before.filter((was) => was.state !== 'dead' && !now.some((node) => node.node_id === was.node_id));
  return [
    ...now.flatMap((node) => compareNode(before, node, at)),
    ...vanished.map((was): News => ({ ...about(was), at, tone: 'warn', text: `${was.name} is gone` })),
  ];
}

function compareNode(before: readonly NodeJson[], node: NodeJson, at: string): News[] {
  const earlierOnes = before.filter(({ node_id: id }) => id === node.node_id);
  const was = earlierOnes.find(({ session }) => session === node.session);
  const earlier = was ?? earlierOnes[0];
  const course = was ? compareCourse(was, node, at) : begin(earlier, node);
  return [...course, ...(earlier ? compareCounts(earlier, node, at) : [])];
}

function begin(earlier: NodeJson | undefined, node: NodeJson): News[] {
  if (node.state === 'dead') return earlier && earlier.state !== 'dead' ? [ended(node)] : [];
  const news = { ...about(node), at: node.started_at, tone: 'good' as const };
  if (!earlier) return [{ ...news, text: `${node.name} joined with ${node.slots} slots` }];
  if (earlier.state === 'dead') return [{ ...news, text: `${node.name} is back, as session ${node.session}` }];
  return [{ ...news, text: `${node.name} began a new life, session ${node.session} after ${earlier.session}` }];
}

function compareCourse(was: NodeJson, node: NodeJson, at: string): News[] {
  if (node.state === 'dead') return was.state === 'dead' ? [] : [ended(node)];
  const course = courseOf(node);
  if (course === courseOf(was)) return [];
  const texts = {
    live: `${node.name} takes orders again`,
    draining: `${node.name} drains: it finishes what it has and takes nothing new`,
    stopping: `${node.name} stops: it finishes or hands back what it has, and leaves`,
  };
  return [{ ...about(node), at, tone: 'calm', text: texts[course] }];
}

function courseOf({ asked, state }: NodeJson): 'live' | 'draining' | 'stopping' {
  if (asked === 'stop') return 'stopping';
  return asked === 'drain' || state === 'draining' ? 'draining' : 'live';
}

function ended(node: NodeJson): News {
  const isPlanned = node.ended_reason === 'left' || node.ended_reason === 'transfer';
  const text = `${node.name} ${describeEnd(node.ended_reason)}`;
  return { ...about(node), at: node.ended_at ?? node.last_activity, tone: isPlanned ? 'calm' : 'bad', text };
}

/** How a session ended, as the end of a sentence about its node. */
export function describeEnd(reason: string | undefined): string {
  switch (reason) {
    case 'left':
      return 'left in good order; what it still had was handed back';
    case 'connection_lost':
      return 'is gone: its connection ended; others go on with its orders';
    case 'expired':
      return 'is gone: its lease ran out; others go on with its orders';
    case 'transfer':
      return 'was relieved by hand; others go on with its orders';
    default:
      return `ended${reason ? `: ${reason}` : ''}`;
  }
}

function compareCounts(was: NodeJson, node: NodeJson, at: string): News[] {
  const handedOver = node.handed_over - was.handed_over;
  const fenced = node.fenced_writes - was.fenced_writes;
  const news: News[] = [];
  const takeovers = node.takeovers - was.takeovers;
  if (takeovers > 0) {
    const ends = takeovers === 1 ? 'an end' : `${takeovers} ends`;
    news.push({
      ...about(node),
      at,
      tone: 'calm',
      text: `${node.name} noticed ${ends} and handed ${handedOver > 0 ? countOf(handedOver, 'order') : 'no orders'} on to others`,
    });
  }
  if (fenced > 0)
    news.push({
      ...about(node),
      at,
      tone: 'warn',
      text: `${node.name}: ${fenced} late ${fenced === 1 ? 'write was' : 'writes were'} refused, the orders were no longer its own`,
    });
  return news;
}

function about({ warehouse, node_id: nodeId }: NodeJson): Pick<News, 'warehouse' | 'nodeId'> {
  return { warehouse, nodeId };
}
