import { formatTime } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import type { ClusterReport, SessionReport, Store } from '#engine/store.ts';
import type { ClusterJson, NodeJson } from './api-cluster.ts';

const TIMEOUT_MS = 1_000;
const FRESH_FOR_MS = 1_000;

/** What is known of one warehouse's nodes; `undefined` where it does not answer in time. */
export async function lookAt(store: Store, clock: Clock): Promise<ClusterReport | undefined> {
  const late = Promise.withResolvers<undefined>();
  const timer = clock.after(TIMEOUT_MS, () => late.resolve(undefined));
  try {
    return await Promise.race([store.operations.readCluster(), late.promise]);
  } catch {
    return undefined;
  } finally {
    timer.cancel();
  }
}

/** One look at a warehouse's nodes serves everyone who asks within a second. */
export class ClusterLooks {
  private readonly clock: Clock;
  private readonly latest = new Map<Store, { report: Promise<ClusterReport | undefined>; until: number }>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  of(store: Store): Promise<ClusterReport | undefined> {
    const now = this.clock.monotonic();
    const known = this.latest.get(store);
    if (known && now < known.until) return known.report;
    const report = lookAt(store, this.clock);
    this.latest.set(store, { report, until: now + FRESH_FOR_MS });
    return report;
  }
}

/** The whole cluster as of now. A warehouse that does not answer is named; its nodes are missing. */
export async function viewCluster(stores: readonly Store[], clock: Clock): Promise<ClusterJson> {
  const reports = await Promise.all(stores.map((store) => lookAt(store, clock)));
  const nodes = reports.flatMap((report, index) => nodesOf(report, (stores[index] as Store).warehouse.name));
  const leaderName = reports[0]?.leader?.nodeName;
  return {
    ...(leaderName === undefined ? {} : { leader_name: leaderName }),
    nodes_count: nodes.filter(({ connected }) => connected).length,
    nodes,
    warehouses: reports.map((report, index) => warehouseOf(report, (stores[index] as Store).warehouse.name)),
    generated_at: formatTime(clock.now()),
  };
}

export function nodesOf(report: ClusterReport | undefined, warehouse: string): NodeJson[] {
  return (report?.sessions ?? []).map((session) => nodeOf(session, warehouse, report?.leader?.session === session.session));
}

function nodeOf(session: SessionReport, warehouse: string, isLeader: boolean): NodeJson {
  return {
    name: session.nodeName,
    node_id: session.nodeId,
    ...(session.address === undefined ? {} : { connection_string: session.address }),
    connected: isConnected(session),
    last_activity: formatTime(session.lastBeatAt),
    warehouse,
    slots: session.slots,
    busy: session.busy,
    session: session.session,
    state: session.state,
    ...(session.asked === undefined ? {} : { asked: session.asked }),
    is_leader: isLeader,
    liveness: session.hasLiveness && session.state !== 'dead',
    lease_ms: session.leaseMs,
    takeovers: session.counts.takeovers,
    handed_over: session.counts.handedOver,
    fenced_writes: session.counts.fencedWrites,
    version: session.version,
    host: session.host,
    started_at: formatTime(session.startedAt),
    ...(session.endedAt === null ? {} : { ended_at: formatTime(session.endedAt) }),
    ...(session.endedReason === null ? {} : { ended_reason: session.endedReason }),
  };
}

function isConnected({ state, leaseMs }: SessionReport): boolean {
  return state !== 'dead' && leaseMs > 0;
}

function warehouseOf(report: ClusterReport | undefined, name: string): ClusterJson['warehouses'][number] {
  if (!report) return { name, status: 'unavailable' };
  const connected = report.sessions.filter(isConnected);
  const { leader } = report;
  return {
    name,
    status: connected.some(({ state }) => state === 'live') ? 'OK' : 'no_nodes',
    ...(leader ? { leader_name: leader.nodeName, leader_node_id: leader.nodeId, leader_term: leader.term } : {}),
    nodes: connected.length,
    slots: connected.reduce((sum, { slots }) => sum + slots, 0),
    busy: connected.reduce((sum, { busy }) => sum + busy, 0),
  };
}
