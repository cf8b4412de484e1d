import { type Direction, type OrderState, publicStatus } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Intervention, OperationStore, ReleaseVerdict, RetryRequest, RetryVerdict, TransferVerdict } from '#engine/operation-store.ts';
import type { Author, ClusterReport, EndedSession, NodeWish, SessionReport } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';
import { endSessions } from './sessions.ts';
import type { WorkflowIds } from './workflow-ids.ts';

/** All sessions that are not dead, and the latest of each node that died within the hour: what an operator may still look for. */
const READ_SESSIONS: Statement = {
  name: 'read_sessions',
  text: `
    with alive as materialized (
      select * from node_sessions where state <> 'dead'
    ), gone as (
      select distinct on (node_id) * from node_sessions s
       where state = 'dead' and ended_at > clock_timestamp() - interval '1 hour'
         and not exists (select from alive a where a.node_id = s.node_id)
       order by node_id, session_id desc
    )
    select s.session_id, s.state, s.node_id, s.node_name, s.slots, s.version, s.host, s.pid, s.address, s.workflow_ids, s.busy,
           s.has_liveness, s.asked, s.started_at, s.last_beat_at, s.ended_at, s.ended_reason,
           s.fenced_writes, s.takeovers, s.handed_over,
           (extract(epoch from s.lease_until - clock_timestamp()) * 1000)::float8 as lease_ms,
           l.term
      from (select * from alive union all select * from gone) s
      left join leader_lease l on l.name = 'warehouse' and l.holder = s.session_id and l.lease_until > clock_timestamp()
     order by s.node_name, s.session_id`,
};

const STEER_NODE: Statement = { name: 'steer_node', text: 'select steer_node($1, $2, $3) as session_id' };

const READ_SESSIONS_OF_NODE: Statement = {
  name: 'read_sessions_of_node',
  text: `select session_id, state <> 'dead' as alive from node_sessions where node_id = $1 order by session_id desc limit 100`,
};

const RETRY_ORDER: Statement = {
  name: 'retry_order',
  text: 'select outcome, found_state, found_direction, retry_id from retry_order($1, $2, $3, $4::smallint, $5)',
};

const RELEASE_ORDER: Statement = {
  name: 'release_order',
  text: 'select outcome, found_state, found_direction from release_order($1, $2)',
};

const RECORD_INTERVENTION: Statement = {
  name: 'record_intervention',
  text: `
    insert into audit (audit_id, actor, action, target, reason)
    values (coalesce($4::uuid, uuidv7()), $3::jsonb ->> 'actor', $1, $2, $3::jsonb ->> 'reason')
    on conflict do nothing`,
};

const LIST_INTERVENTIONS: Statement = {
  name: 'list_interventions',
  text: `
    select audit_id, at, actor, action, target, reason, detail from audit
     where $2::uuid is null or audit_id < $2 order by audit_id desc limit $1`,
};

interface SessionRow {
  session_id: number;
  state: SessionReport['state'];
  node_id: string;
  node_name: string;
  slots: number;
  version: string;
  host: string;
  pid: number;
  address: string | null;
  workflow_ids: number[];
  busy: number;
  has_liveness: boolean;
  asked: NodeWish | null;
  started_at: EpochMs;
  last_beat_at: EpochMs;
  ended_at: EpochMs | null;
  ended_reason: string | null;
  fenced_writes: number;
  takeovers: number;
  handed_over: number;
  lease_ms: number;
  term: number | null;
}

interface VerdictRow {
  outcome: string;
  found_state: OrderState;
  found_direction: Direction;
}

/** A statement of the session that is under way locks its row for a moment. */
const END_AGAIN_MS = 20;
const END_TRIES = 250;

export function operationStore(connection: Connection, workflowIds: WorkflowIds, clock: Clock): OperationStore {
  return {
    async readCluster() {
      const rows = await connection.run<SessionRow>(READ_SESSIONS, []);
      await workflowIds.learn(rows.flatMap((row) => row.workflow_ids));
      return reportOf(
        rows,
        rows.map((row) => row.workflow_ids.map((id) => workflowIds.nameOf(id))),
      );
    },
    async steerNode(nodeId, wish, author) {
      const rows = await connection.run<{ session_id: number }>(STEER_NODE, [nodeId, wish ?? null, JSON.stringify(author)]);
      return rows.map((row) => row.session_id);
    },
    transferNode: (nodeId, author) => transferNode(connection, clock, nodeId, author),
    async retryOrder(request) {
      await workflowIds.ready([request]);
      return retryOrder(connection, workflowIds.of(request), request);
    },
    async releaseOrder(orderId, author): Promise<ReleaseVerdict> {
      const [row] = await connection.run<VerdictRow>(RELEASE_ORDER, [orderId, JSON.stringify(author)]);
      const { outcome, found_state, found_direction } = row as VerdictRow;
      if (outcome === 'refused') return { outcome, status: publicStatus(found_state, found_direction) };
      return { outcome: outcome as 'released' | 'unknown' };
    },
    async recordIntervention(action, target, author, id) {
      await connection.run(RECORD_INTERVENTION, [action, target, JSON.stringify(author), id ?? null]);
    },
    async listInterventions({ limit, beforeId }): Promise<Intervention[]> {
      const rows = await connection.run<Omit<Intervention, 'id'> & { audit_id: string }>(LIST_INTERVENTIONS, [limit, beforeId ?? null]);
      return rows.map(({ audit_id, ...row }) => ({ id: audit_id, ...row }));
    },
  };
}

function reportOf(rows: SessionRow[], workflows: { name: string; version: number }[][]): ClusterReport {
  const leader = rows.find((row) => row.term !== null);
  return {
    leader: leader && { session: leader.session_id, term: leader.term ?? 0, nodeId: leader.node_id, nodeName: leader.node_name },
    sessions: rows.map((row, index) => ({
      session: row.session_id,
      state: row.state,
      nodeId: row.node_id,
      nodeName: row.node_name,
      slots: row.slots,
      version: row.version,
      host: row.host,
      pid: row.pid,
      address: row.address ?? undefined,
      workflows: workflows[index] ?? [],
      busy: row.busy,
      hasLiveness: row.has_liveness,
      asked: row.asked ?? undefined,
      startedAt: row.started_at,
      lastBeatAt: row.last_beat_at,
      leaseMs: Math.round(row.lease_ms),
      endedAt: row.ended_at,
      endedReason: row.ended_reason,
      counts: { fencedWrites: row.fenced_writes, takeovers: row.takeovers, handedOver: row.handed_over },
    })),
  };
}

/** A session that was passed over because a statement of its own held it is asked again until it has ended. */
async function transferNode(connection: Connection, clock: Clock, nodeId: string, author: Author): Promise<TransferVerdict> {
  const known = await connection.run<{ session_id: number; alive: boolean }>(READ_SESSIONS_OF_NODE, [nodeId]);
  if (known.length === 0) return { outcome: 'unknown' };
  let waiting = known.filter(({ alive }) => alive).map((row) => row.session_id);
  const sessions: EndedSession[] = [];
  for (let tries = 0; waiting.length > 0 && tries < END_TRIES; tries += 1) {
    if (tries > 0) await sleep(clock, END_AGAIN_MS);
    sessions.push(...(await endSessions(connection, waiting, 'transfer')));
    const rows = await connection.run<{ session_id: number; alive: boolean }>(READ_SESSIONS_OF_NODE, [nodeId]);
    const alive = new Set(rows.filter((row) => row.alive).map((row) => row.session_id));
    waiting = waiting.filter((session) => alive.has(session));
  }
  if (waiting.length > 0)
    throw new Error(`the sessions ${arrayOf(waiting)} of node ${nodeId} could not be ended: something holds their rows`);
  await connection.run(RECORD_INTERVENTION, ['node.transfer', nodeId, JSON.stringify(author), null]);
  return { outcome: 'transferred', sessions };
}

async function retryOrder(connection: Connection, workflowId: number, request: RetryRequest): Promise<RetryVerdict> {
  const { orderId, newOrderId, customerId, actor, reason } = request;
  const author = JSON.stringify({ actor, reason });
  const [row] = await connection.run<VerdictRow & { retry_id: string }>(RETRY_ORDER, [
    orderId,
    newOrderId,
    customerId ?? null,
    workflowId,
    author,
  ]);
  const { outcome, found_state, found_direction, retry_id } = row as NonNullable<typeof row>;
  switch (outcome) {
    case 'refused':
      return { outcome, status: publicStatus(found_state, found_direction) };
    case 'unknown':
      return { outcome };
    default:
      return { outcome: outcome as 'created' | 'existing', orderId: retry_id };
  }
}
