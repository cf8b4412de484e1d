import type { EpochMs } from '#domain/time.ts';
import { GATE_LEASES } from '#engine/peer-store.ts';
import type {
  EndedSession,
  EndReason,
  NodeDescription,
  NodeLoad,
  NodeWish,
  OrderTotals,
  TickReport,
  WarehouseLoad,
} from '#engine/store.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';

const OPEN_SESSION: Statement = {
  name: 'open_session',
  text: `
    insert into node_sessions (node_id, node_name, slots, version, host, pid, workflow_ids, lease_until, address, asked)
    values ($1, $2, $3, $4, $5, $6, $7::smallint[], clock_timestamp() + $8 * interval '1 millisecond', $9, $10)
    returning session_id`,
};

/**
 * A node's one regular statement. An expired lease is renewed too, as long as nobody declared the session dead: after a
 * restart of the database nobody loses anything. No row back: this session is dead.
 * - `lead` renews or takes the leader's lease: bound to holder and term, and to work. A leader whose chores stand still for
 *   four leases neither renews nor keeps others out. It is a plain update of one row, so that those who do not get it lock nothing.
 *   An open gate stays open with it.
 * - `work_due` asks the head of the claim's index, `owned` what the session owns: both no further back than they have to (see
 *   tick-scope.ts).
 */
const TICK: Statement = {
  name: 'tick',
  text: `
    with beat as (
      update node_sessions
         set hb_seq = hb_seq + 1, lease_until = clock_timestamp() + $2 * interval '1 millisecond', last_beat_at = clock_timestamp(),
             busy = $3, state = case when $4 then 'draining' else 'live' end, has_liveness = $5,
             fenced_writes = $6, takeovers = $7, handed_over = $8
       where session_id = $1 and state <> 'dead'
      returning workflow_ids, asked
    ), lead as (
      update leader_lease l
         set term = case when l.holder = $1 and l.term = $10::bigint then l.term else l.term + 1 end, holder = $1,
             tick_no = l.tick_no + $11::boolean::int, lease_until = clock_timestamp() + $2 * interval '1 millisecond',
             worked_at = case when $11 or l.holder is distinct from $1 or l.term is distinct from $10 then clock_timestamp() else l.worked_at end,
             gate_until = case when l.gate_epoch = pg_postmaster_start_time() and l.gate_until > clock_timestamp()
                               then clock_timestamp() + ${GATE_LEASES} * $2 * interval '1 millisecond' else l.gate_until end
        from beat
       where l.name = 'warehouse' and $9
         and (l.lease_until < clock_timestamp() or l.worked_at < clock_timestamp() - 4 * $2 * interval '1 millisecond'
              or (l.holder = $1 and l.term = $10))
      returning l.term, l.gate_epoch is distinct from pg_postmaster_start_time() or l.gate_until <= clock_timestamp()
                        or l.gate_closed_at is not null as gate_needs_turn
    )
    select pg_postmaster_start_time()::text as database_epoch,
           (extract(epoch from clock_timestamp()) * 1000)::float8 as database_now,
           (select coalesce((select $1::bigint from lead), (select l.holder from leader_lease l
                                                             where l.name = 'warehouse' and l.lease_until > clock_timestamp()))) as leader,
           (select json_agg(json_build_array(s.session_id, s.hb_seq, s.lease_until < clock_timestamp()))
              from node_sessions s where s.state <> 'dead') as sessions,
           owned.count as owned_count, owned.oldest, owned.cancel_requests,
           exists (select from order_work w where w.owner_session is null and w.next_run_at <= statement_timestamp()
                      and w.next_run_at >= $14
                      and w.workflow_id = any (beat.workflow_ids) order by w.next_run_at, w.order_id limit 1) as work_due,
           beat.asked, (select term from lead) as leader_term,
           coalesce((select gate_needs_turn from lead), false) as gate_needs_turn,
           exists (select from leader_lease l, warehouse w
                    where l.name = 'warehouse' and cardinality(w.peers) > 0
                      and (l.gate_epoch is distinct from pg_postmaster_start_time() or l.gate_until <= clock_timestamp()
                           or l.gate_closed_at is not null)) as gate_shut,
           case when $12 then (select coalesce(json_agg(id), '[]') from lost_sessions($2 * interval '1 millisecond') id
                                 where id <> $1) end as lost_sessions
      from beat
     cross join lateral (
       select count(*) as count, (array_agg(w.order_id::text order by w.order_id))[1] as oldest,
              array_agg(o.order_id::text) filter (where o.requested is not null) as cancel_requests
         from order_work w join orders o on o.order_id = w.order_id where w.owner_session = $1 and w.order_id >= $13) owned`,
};

const FIND_LOST_SESSIONS: Statement = {
  name: 'find_lost_sessions',
  text: `
    select coalesce(json_agg(id), '[]') as sessions from lost_sessions($1 * interval '1 millisecond') id`,
};

const END_SESSIONS: Statement = {
  name: 'end_sessions',
  text: 'select session_id, handed_over from end_sessions($1::bigint[], $2)',
};

/**
 * The query that tells as many nodes as the orders need, those with the most free slots first; among equals another one each time,
 * because what they said of themselves is up to a tick old. A hint: nothing depends on it.
 */
export function wakingNodes(orderCount: string): string {
  return `
    select count(pg_notify('conveyor_work_' || session_id, 'work'))::int as woken
      from (select session_id, sum(free) over (order by free desc, turn) - free as slots_before
              from (select session_id, slots - busy as free, random() as turn from node_sessions
                     where state = 'live' and slots > busy and lease_until > clock_timestamp()) n) s
     where slots_before < ${orderCount}`;
}

const WAKE_NODES: Statement = { name: 'wake_nodes', text: wakingNodes('$1') };

const READ_LOAD: Statement = {
  name: 'read_load',
  text: `
    select (select count(*) from order_work where owner_session is null) as queued,
           (select count(*) from order_work where owner_session is not null) as running,
           count(*) as live_nodes, coalesce(sum(slots), 0)::bigint as slots, coalesce(sum(busy), 0)::bigint as busy
      from node_sessions where state = 'live' and lease_until > clock_timestamp()`,
};

const READ_TOTALS: Statement = {
  name: 'read_totals',
  text: `
    select coalesce(sum(completed), 0)::bigint as completed, coalesce(sum(priced), 0)::bigint as priced,
           coalesce(sum(price_sum), 0)::text as price_sum
      from order_totals`,
};

export async function readTotals(connection: Connection): Promise<OrderTotals> {
  const [row] = await connection.run<{ completed: number; priced: number; price_sum: string }>(READ_TOTALS, []);
  const { completed, priced, price_sum } = row as NonNullable<typeof row>;
  return { completed, priced, priceSum: price_sum };
}

export async function openSession(
  connection: Connection,
  node: NodeDescription,
  workflowIds: number[],
  ttlMs: number,
  asked?: NodeWish,
): Promise<number> {
  const [row] = await connection.run<{ session_id: number }>(OPEN_SESSION, [
    node.nodeId,
    node.nodeName,
    node.slots,
    node.version,
    node.host,
    node.pid,
    arrayOf(workflowIds),
    ttlMs,
    node.address ?? null,
    asked ?? null,
  ]);
  return (row as { session_id: number }).session_id;
}

interface TickRow {
  database_epoch: string;
  database_now: number;
  leader: number | null;
  sessions: [session: number, beat: number, expired: boolean][] | null;
  owned_count: number;
  oldest: string | null;
  cancel_requests: string[] | null;
  work_due: boolean;
  asked: NodeWish | null;
  leader_term: number | null;
  gate_needs_turn: boolean;
  gate_shut: boolean;
  lost_sessions: number[] | null;
}

/** How far back it looks: from which order on at those in its hands, from when on at those that wait. */
export interface TickReach {
  ownedFrom: string;
  queuedFrom: string;
}

/** @returns with the report the oldest order in the session's hands, as far as the tick looked */
export async function tick(
  connection: Connection,
  session: number,
  ttlMs: number,
  load: NodeLoad,
  { ownedFrom, queuedFrom }: TickReach,
): Promise<{ report: TickReport; oldest: string | null } | undefined> {
  const { counts, leading } = load;
  const [row] = await connection.run<TickRow>(TICK, [
    session,
    ttlMs,
    load.busy,
    load.draining,
    load.hasLiveness,
    counts.fencedWrites,
    counts.takeovers,
    counts.handedOver,
    leading !== undefined,
    leading?.term ?? null,
    leading?.worked ?? false,
    load.lookForLost,
    ownedFrom,
    queuedFrom,
  ]);
  return row && { report: reportOf(row), oldest: row.oldest };
}

function reportOf(row: TickRow): TickReport {
  return {
    databaseEpoch: row.database_epoch,
    databaseNow: row.database_now,
    leader: row.leader ?? undefined,
    sessions: (row.sessions ?? []).map(([id, beat, expired]) => ({ session: id, beat, expired })),
    ownedCount: row.owned_count,
    cancelRequests: row.cancel_requests ?? [],
    workDue: row.work_due,
    asked: row.asked ?? undefined,
    leaderTerm: row.leader_term ?? undefined,
    gateShut: row.gate_shut,
    gateNeedsTurn: row.gate_needs_turn,
    lostSessions: row.lost_sessions ?? undefined,
  };
}

/** The oldest order that the session owns and the oldest that may be claimed, however far back. */
const LOOK_AT_ALL: Statement = {
  name: 'look_at_all',
  text: `
    select (select w.order_id from order_work w where w.owner_session = $1 order by w.order_id limit 1) as owned,
           (select w.next_run_at from order_work w where w.owner_session is null and w.next_run_at <= statement_timestamp()
             order by w.next_run_at, w.order_id limit 1) as due_at`,
};

export async function lookAtAll(connection: Connection, session: number): Promise<{ owned: string | null; dueAt: EpochMs | null }> {
  const [row] = await connection.run<{ owned: string | null; due_at: EpochMs | null }>(LOOK_AT_ALL, [session]);
  return { owned: row?.owned ?? null, dueAt: row?.due_at ?? null };
}

export async function findLostSessions(connection: Connection, graceMs: number): Promise<number[]> {
  const [row] = await connection.run<{ sessions: number[] }>(FIND_LOST_SESSIONS, [graceMs]);
  return (row as NonNullable<typeof row>).sessions;
}

export async function endSessions(connection: Connection, sessions: number[], reason: EndReason): Promise<EndedSession[]> {
  const rows = await connection.run<{ session_id: number; handed_over: number }>(END_SESSIONS, [arrayOf(sessions), reason]);
  return rows.map((row) => ({ session: row.session_id, handedOver: row.handed_over }));
}

/** How many nodes were told. */
export async function wakeNodes(connection: Connection, orderCount: number): Promise<number> {
  const [row] = await connection.run<{ woken: number }>(WAKE_NODES, [orderCount]);
  return row?.woken ?? 0;
}

export async function readLoad(connection: Connection): Promise<WarehouseLoad> {
  const [row] = await connection.run<{ queued: number; running: number; live_nodes: number; slots: number; busy: number }>(READ_LOAD, []);
  const { queued, running, live_nodes, slots, busy } = row as NonNullable<typeof row>;
  return { queued, running, liveNodes: live_nodes, slots, busy };
}
