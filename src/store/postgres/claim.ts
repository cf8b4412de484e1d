import type { EpochMs } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import { foldHistory } from '#engine/history.ts';
import type { ClaimedOrder } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement } from './connect.ts';
import { type EventTuple, eventOf, historyOf, ORDER_COLUMNS, type OrderRow, orderOf } from './rows.ts';
import type { WorkflowIds } from './workflow-ids.ts';

/** Claims reach back this far behind the last one, for orders that were committed late. */
const LOOK_BACK_MS = 5_000;
/** How often a claim looks at everything, for whatever was committed later still. */
const FULL_LOOK_EVERY_MS = 10_000;

/**
 * Takes due orders, oldest first, and starts their present step.
 * - `sess` locks the session's row FOR KEY SHARE: a takeover of this session waits for this claim or shuts it out, so
 *   neither can miss the other. Heartbeats go along with it.
 * - `pick` is materialized: a LIMIT under FOR UPDATE in a plain subquery may be evaluated again and lock more.
 * - `next_run_at >= $3` skips the dead index entries of what was claimed long ago (see LowWater).
 * - `gate`: after an outage orders with keys that were accepted before it wait (see sql/migrations/0003_warehouses.sql); once it
 *   is open, claims look back as far as those. Without other warehouses there is nothing to wait for.
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
             case when l.gate_opened_at > clock_timestamp() - ${FULL_LOOK_EVERY_MS * 1.5} * interval '1 millisecond'
                  then '-infinity'::timestamptz end as looks_from
        from leader_lease l, warehouse w where l.name = 'warehouse' and cardinality(w.peers) > 0
    ), pick as materialized (
      select order_id from orders
       where state = 'queued' and next_run_at <= statement_timestamp() and next_run_at >= coalesce((select looks_from from gate), $3)
         and workflow_id = any ($4::smallint[]) and exists (select from sess)
         and (not keyed or accepted_at > coalesce((select holds_up_to from gate), '-infinity'))
       order by next_run_at, order_id limit $2 for no key update skip locked
    ), taken as (
      update orders o set state = 'running', owner_session = sess.session_id, fence = o.fence + 1, version = o.version + 1
        from pick, sess where o.order_id = pick.order_id
      returning ${ORDER_COLUMNS}
    ), told as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
      select order_id, version, 'claimed', step, direction, owner_session, fence, clock_timestamp() from taken
    )
    select o.*, case when o.version > 2 then ${historyOf('o.order_id')} end as history
      from taken o order by o.next_run_at, o.order_id`,
};

const READ_OWNED: Statement = {
  name: 'read_owned',
  text: `
    select ${ORDER_COLUMNS}, ${historyOf('o.order_id')} as history
      from orders o where o.owner_session = $1 and o.state = 'running'`,
};

type ClaimRow = OrderRow & { history: EventTuple[] | null };

/**
 * Where the claim's index scan begins. While an old snapshot lives somewhere (a backup, a forgotten session), dead entries
 * of claimed orders stay at the head of the index: reading past all of them made a claim of 50 ten times as slow.
 */
class LowWater {
  private claimedUpTo: EpochMs | undefined;
  private nextFullLookAt = 0;
  private readonly clock: Clock;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  next(): string {
    const now = this.clock.monotonic();
    if (this.claimedUpTo === undefined || now >= this.nextFullLookAt) {
      this.nextFullLookAt = now + FULL_LOOK_EVERY_MS;
      return '-infinity';
    }
    return new Date(this.claimedUpTo - LOOK_BACK_MS).toISOString();
  }

  /** An empty answer may only mean that the bound hid something: the next claim looks at everything again. */
  saw(rows: readonly ClaimRow[]): void {
    const last = rows.at(-1);
    if (last) this.claimedUpTo = Math.max(last.next_run_at, this.claimedUpTo ?? 0);
  }
}

export class OrderClaims {
  private readonly connection: Connection;
  private readonly workflowIds: WorkflowIds;
  private readonly lowWater: LowWater;

  constructor(connection: Connection, workflowIds: WorkflowIds, clock: Clock) {
    this.connection = connection;
    this.workflowIds = workflowIds;
    this.lowWater = new LowWater(clock);
  }

  async claim(session: number, knownWorkflows: readonly number[], limit: number): Promise<ClaimedOrder[]> {
    const rows = await this.connection.run<ClaimRow>(CLAIM_ORDERS, [session, limit, this.lowWater.next(), arrayOf(knownWorkflows)]);
    this.lowWater.saw(rows);
    return Promise.all(rows.map((row) => this.claimedOf(row, [...(row.history ?? []), claimTuple(row)])));
  }

  async readOwned(session: number): Promise<ClaimedOrder[]> {
    const rows = await this.connection.run<ClaimRow>(READ_OWNED, [session]);
    return Promise.all(rows.map((row) => this.claimedOf(row, row.history ?? [])));
  }

  private async claimedOf(row: ClaimRow, history: readonly EventTuple[]): Promise<ClaimedOrder> {
    const order = orderOf(row, await this.workflowIds.nameOf(row.workflow_id));
    return foldHistory(
      order,
      history.map((tuple) => eventOf(row.order_id, tuple)),
    );
  }
}

/** The statement that writes the claim's event does not see it yet: its history ends before. */
function claimTuple(row: ClaimRow): EventTuple {
  return [row.version, 'claimed', row.step, row.direction, row.owner_session, row.fence, 0, null];
}
