import type { EpochMs } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import { foldHistory } from '#engine/history.ts';
import type { ClaimedOrder } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';
import type { OrderJournal } from './journal.ts';
import { type EventTuple, eventOf, HAND_COLUMNS, type HandRow, historyOf, inHandOf } from './rows.ts';
import type { WorkflowIds } from './workflow-ids.ts';

/** Claims reach back this far behind the last one, for orders that were committed late. */
const LOOK_BACK_MS = 5_000;
/** How long after the gate was opened claims look at everything that it held. */
const LOOK_AFTER_GATE_MS = 15_000;
/** While claim after claim comes back full they reach back less, and as far as above so often. */
const SHORT_LOOK_BACK_MS = 50;
const LONG_LOOK_EVERY_MS = 200;

/**
 * Takes due orders, oldest first, and starts their present step. The order's own row changes in place: none of its indexes knows
 * its state (see sql/migrations/0008_order_work.sql).
 * - `sess` locks the session's row FOR KEY SHARE: a takeover of this session waits for this claim or shuts it out, so
 *   neither can miss the other. Heartbeats go along with it.
 * - `pick` is materialized: a LIMIT under FOR UPDATE in a plain subquery may be evaluated again and lock more.
 * - `held` finds the locked rows by their place. One that was changed between the snapshot and its lock has another place by
 *   then: it is left to the next claim.
 * - `next_run_at >= $3` skips the dead index entries of what was claimed long ago (see LowWater).
 * - `gate`: after an outage orders with keys that were accepted before it wait (see sql/migrations/0003_warehouses.sql); once it
 *   is open, claims look back as far as those. Without other warehouses there is nothing to wait for.
 * - `taken`: while an order runs, its `next_run_at` is the time of its claim, which its row tells of until an event does.
 * A fresh order (version 2 after its claim) has no history worth reading.
 */
const CLAIM_ORDERS: Statement = {
  name: 'claim_orders',
  text: `
    with sess as materialized (
      select session_id from node_sessions
       where session_id = $1 and state = 'live' and lease_until > clock_timestamp() for key share
    ), gate as materialized (
      select case when l.gate_epoch is distinct from pg_postmaster_start_time() or l.gate_until <= clock_timestamp() then 'infinity'
                  else coalesce(l.gate_closed_at, '-infinity') end as holds_up_to,
             case when l.gate_opened_at > clock_timestamp() - ${LOOK_AFTER_GATE_MS} * interval '1 millisecond'
                  then '-infinity'::timestamptz end as looks_from
        from leader_lease l, warehouse w where l.name = 'warehouse' and cardinality(w.peers) > 0
    ), pick as materialized (
      select ctid as place from order_work
       where owner_session is null and next_run_at <= statement_timestamp()
         and next_run_at >= coalesce((select looks_from from gate), $3)
         and workflow_id = any ($4::smallint[]) and exists (select from sess)
         and (keyed_at is null or keyed_at > coalesce((select holds_up_to from gate), '-infinity'))
       order by next_run_at, order_id limit $2 for no key update skip locked
    ), held as (
      update order_work w set owner_session = sess.session_id from pick, sess where w.ctid = pick.place
      returning w.order_id, w.owner_session, w.next_run_at as due_at
    ), taken as (
      update orders o
         set state = 'running', owner_session = held.owner_session, fence = o.fence + 1, version = o.version + 1,
             next_run_at = clock_timestamp()
        from held where o.order_id = held.order_id
      returning ${HAND_COLUMNS}, (extract(epoch from held.due_at) * 1000)::float8 as due_at
    )
    select o.*, case when o.version > 2 then ${historyOf('o.order_id')} end as history
      from taken o order by o.due_at, o.order_id`,
};

const READ_OWNED: Statement = {
  name: 'read_owned',
  text: `
    select ${HAND_COLUMNS}, ${historyOf('o.order_id')} as history
      from order_work w join orders o on o.order_id = w.order_id where w.owner_session = $1`,
};

type ClaimRow = HandRow & { history: EventTuple[] | null };

type TakenRow = ClaimRow & { due_at: EpochMs };

/**
 * Where the claim's index scan begins. Entries of what was claimed stay in the index until they are vacuumed, or for as long as an
 * old snapshot lives somewhere (a backup, a forgotten session): reading past those of seconds made a claim of 50 several times as
 * slow, past all of them ten times.
 */
class LowWater {
  private claimedUpTo: EpochMs | undefined;
  private nextLongLookAt = 0;
  private isBusy = false;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  next(): { from: string; isShort: boolean } {
    const now = this.clock.monotonic();
    const isShort = this.isBusy && now < this.nextLongLookAt;
    if (!isShort) this.nextLongLookAt = now + LONG_LOOK_EVERY_MS;
    return { from: this.backBy(isShort ? SHORT_LOOK_BACK_MS : LOOK_BACK_MS), isShort };
  }

  /** From here on there may be something to claim. */
  get from(): string {
    return this.backBy(LOOK_BACK_MS);
  }

  saw(rows: readonly TakenRow[], limit: number): void {
    this.isBusy = rows.length >= limit;
    const last = rows.at(-1);
    if (last) this.claimedUpTo = Math.max(last.due_at, this.claimedUpTo ?? 0);
  }

  /** An order has been due since then that no claim would find: it was committed very late. */
  lower(dueAt: EpochMs): void {
    if (this.claimedUpTo !== undefined && dueAt < this.claimedUpTo) this.claimedUpTo = dueAt;
  }

  private backBy(ms: number): string {
    return this.claimedUpTo === undefined ? '-infinity' : new Date(this.claimedUpTo - ms).toISOString();
  }
}

/** Answered when everything before it on its connection was. */
const NOTHING: Statement = { name: 'nothing', text: 'select' };

/** What a session owns is asked behind its moves, so that no order that just left is taken for one that was forgotten. */
type ClaimConnections = Record<'claims' | 'moves' | 'closings', Connection>;

export class OrderClaims {
  private readonly connections: ClaimConnections;
  private readonly journal: OrderJournal;
  private readonly workflowIds: WorkflowIds;
  private readonly lowWater: LowWater;

  constructor(connections: ClaimConnections, journal: OrderJournal, workflowIds: WorkflowIds, clock: Clock) {
    this.connections = connections;
    this.journal = journal;
    this.workflowIds = workflowIds;
    this.lowWater = new LowWater(clock);
  }

  /** Since when orders may wait that can be claimed. */
  get queuedFrom(): string {
    return this.lowWater.from;
  }

  /** An order has been due since then: the next claim looks that far back. */
  noteDue(dueAt: EpochMs): void {
    this.lowWater.lower(dueAt);
  }

  async claim(session: number, knownWorkflows: readonly number[], limit: number): Promise<ClaimedOrder[]> {
    const { from, isShort } = this.lowWater.next();
    const rows = await this.connections.claims.run<TakenRow>(CLAIM_ORDERS, [session, limit, from, arrayOf(knownWorkflows)]);
    this.lowWater.saw(rows, limit);
    await this.workflowIds.learn(rows.map((row) => row.workflow_id));
    const claimed = rows.map((row) => this.claimedOf(row, [...(row.history ?? []), claimTuple(row)]));
    this.journal.noteClaimed(session, claimed);
    // Nothing more within the short look does not mean that nothing more waits.
    if (!isShort || rows.length >= limit) return claimed;
    return [...claimed, ...(await this.claim(session, knownWorkflows, limit - rows.length))];
  }

  async readOwned(session: number): Promise<ClaimedOrder[]> {
    await this.connections.closings.run(NOTHING, []);
    const rows = await this.connections.moves.run<ClaimRow>(READ_OWNED, [session]);
    await this.workflowIds.learn(rows.map((row) => row.workflow_id));
    const owned = rows.map((row) => this.claimedOf(row, row.history ?? []));
    this.journal.forget(owned);
    return owned;
  }

  private claimedOf(row: ClaimRow, history: readonly EventTuple[]): ClaimedOrder {
    return foldHistory(
      inHandOf(row, this.workflowIds.nameOf(row.workflow_id)),
      history.map((tuple) => eventOf(row.order_id, tuple)),
    );
  }
}

/** The statement that writes the claim's event does not see it yet: its history ends before. */
function claimTuple(row: ClaimRow): EventTuple {
  return [row.version, 'claimed', row.step, row.direction, row.owner_session, row.fence, 0, null];
}
