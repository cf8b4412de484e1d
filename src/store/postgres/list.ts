import { type Expression, Kysely, PostgresDialect, type SqlBool, sql } from 'kysely';
import type { Pool } from 'pg';
import { firstIdAt, idsBeginningWith } from '#domain/ids.ts';
import type { OrderStatus } from '#domain/order-state.ts';
import type { OrderFilter } from '#engine/store.ts';
import { toStoreFault } from './faults.ts';
import { findLead, hidden, writtenConditions } from './list-lead.ts';

/** The part of the schema that lists are composed over. */
interface Schema {
  orders: {
    order_id: string;
    customer_id: string;
    workflow_id: number;
    owner_session: number | null;
    state: string;
    direction: string;
    step: number;
    version: number;
    content: unknown;
  };
}

/** While an order runs, its row says where it was claimed; whether it is being undone stands in the events since. */
const TURNED_BACK = sql<SqlBool>`exists (select from order_events e where e.order_id = orders.order_id
  and e.version > orders.version and e.kind in ('step_failed', 'cancel_started'))`;

/** These say nothing new of an order that is queued or running; they let the planner begin with those few. */
const IS_OPEN = sql<SqlBool>`exists (select from order_work w where w.order_id = orders.order_id)`;
const IS_OWNED = sql<SqlBool>`exists (select from order_work w where w.order_id = orders.order_id and w.owner_session is not null)`;

const UNENDED = sql`select order_id from order_work
  union all select order_id from orders where rare_state in ('held', 'needs_attention')`;

/** The present step of an order: after its last event while it runs, its row's otherwise. */
const PRESENT_STEP = sql<number>`case when orders.state = 'running'
  then coalesce((select orders.step + max(j.version) - orders.version
                   from journaled_steps(orders.order_id, orders.owner_session, orders.version) j),
                (select step_after(e.kind, e.step) from order_events e
                  where e.order_id = orders.order_id and e.version > orders.version order by e.version desc limit 1), orders.step)
  else orders.step end`;

/** Finds the ids of a page, newest first; the records are then read like any others. */
export class OrderList {
  private readonly db: Kysely<Schema>;
  private readonly warehouse: string;

  constructor(pool: Pool, warehouse: string) {
    this.db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
    this.warehouse = warehouse;
  }

  async findIds(filter: OrderFilter): Promise<string[]> {
    const rows = await this.run(async () => (await this.page(filter)).execute());
    return rows.map((row) => row.order_id);
  }

  async count(filter: OrderFilter): Promise<number> {
    const rows = await this.run(async () => {
      const page = (await this.page(filter)).as('page');
      return this.db.selectFrom(page).select(sql<number>`count(*)::int`.as('count')).execute();
    });
    return rows[0]?.count ?? 0;
  }

  /** Each status has an index or few rows of its own: the page is the newest of what each of them has. */
  private async page(filter: OrderFilter) {
    const lead = await findLead(this.db, filter);
    const shared = [...rangeConditions(filter), ...writtenConditions(filter, lead), ...otherConditions(filter, lead !== undefined)];
    const [first, ...others] = filter.statuses
      ? filter.statuses.map((status) => this.newest([...shared, statusCondition(status, lead !== undefined)], filter.limit))
      : [this.newest(shared, filter.limit)];
    if (!first) throw new Error('assertion failed: a list asks for no status, or for at least one');
    const all = others.reduce((union, other) => union.unionAll(other), first);
    return all.orderBy('order_id', 'desc').limit(filter.limit);
  }

  private newest(conditions: readonly Expression<SqlBool>[], limit: number) {
    const found = this.db
      .selectFrom('orders')
      .select('order_id')
      .where((eb) => eb.and(conditions))
      .orderBy('order_id', 'desc')
      .limit(limit);
    return this.db.selectFrom(found.as('found')).select('order_id');
  }

  private async run<Rows>(query: () => Promise<Rows>): Promise<Rows> {
    try {
      return await query();
    } catch (error) {
      throw toStoreFault(error, this.warehouse);
    }
  }
}

/** Ids carry a gateway's clock, `accepted_at` the database's: the range of ids is this much wider than the times asked for. */
const CLOCK_SLACK_MS = 60_000;

/** Ids grow with time: `since`, `until` and the beginning of an id become ranges of the primary key. */
function rangeConditions({ beforeId, since, until, idDigits }: OrderFilter): Expression<SqlBool>[] {
  const conditions: Expression<SqlBool>[] = [];
  const add = (condition: Expression<SqlBool>): void => void conditions.push(condition);
  if (beforeId !== undefined) add(sql`orders.order_id < ${beforeId}::uuid`);
  if (since !== undefined) {
    add(sql`orders.order_id >= ${firstIdAt(since - CLOCK_SLACK_MS)}::uuid and orders.accepted_at >= ${new Date(since).toISOString()}`);
  }
  if (until !== undefined) {
    add(sql`orders.order_id < ${firstIdAt(until + CLOCK_SLACK_MS)}::uuid and orders.accepted_at < ${new Date(until).toISOString()}`);
  }
  if (idDigits !== undefined) {
    const { first, last } = idsBeginningWith(idDigits);
    add(sql`orders.order_id between ${first}::uuid and ${last}::uuid`);
  }
  return conditions;
}

/** @param isLed something else leads: the indexes of these are hidden from the planner, which would merge them with that one's */
function otherConditions(filter: OrderFilter, isLed: boolean): Expression<SqlBool>[] {
  const conditions: Expression<SqlBool>[] = [];
  const add = (condition: Expression<SqlBool>): void => void conditions.push(condition);
  if (filter.customerId !== undefined) {
    const isTheirs = sql<SqlBool>`orders.customer_id = ${filter.customerId}`;
    add(isLed ? hidden(isTheirs) : isTheirs);
  }
  if (filter.step !== undefined) {
    add(sql`orders.order_id in (${UNENDED}) and ${PRESENT_STEP} = (
      select array_position(w.step_names, ${filter.step}) from workflows w where w.workflow_id = orders.workflow_id)`);
  }
  if (filter.nodeId !== undefined) {
    add(sql`orders.order_id in (
      select w.order_id from order_work w join node_sessions s on s.session_id = w.owner_session
       where s.state <> 'dead' and s.node_id = ${filter.nodeId}::uuid)`);
  }
  return conditions;
}

function statusCondition(status: OrderStatus, isLed: boolean): Expression<SqlBool> {
  switch (status) {
    case 'queued':
      return sql`orders.state = 'queued' and orders.direction = 'forward' and ${IS_OPEN}`;
    case 'processing':
      return sql`orders.state = 'running' and orders.direction = 'forward' and not ${TURNED_BACK} and ${IS_OWNED}`;
    case 'rolling_back':
      return sql`orders.state in ('queued', 'running') and (orders.direction = 'rollback' or (orders.state = 'running' and ${TURNED_BACK}))
        and ${IS_OPEN}`;
    case 'completed':
      return sql`orders.state = 'completed'`;
    default: {
      const isRare = sql<SqlBool>`orders.rare_state = ${status}::order_state`;
      return isLed ? hidden(isRare) : isRare;
    }
  }
}
