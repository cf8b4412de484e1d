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

/** Says nothing new of an order that is queued or running; it lets the planner begin with those few. */
const IS_OPEN = sql<SqlBool>`exists (select from order_work w where w.order_id = orders.order_id)`;

const UNENDED = sql`select order_id from order_work
  union all select order_id from orders where rare_state in ('held', 'needs_attention')`;

/** The present step of an order: after its last event while it runs, its row's otherwise. */
const PRESENT_STEP = sql<number>`case when orders.state = 'running'
  then coalesce((select step_after(e.kind, e.step) from order_events e
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
    try {
      const conditions = await this.conditionsOf(filter);
      const rows = await this.db
        .selectFrom('orders')
        .select('order_id')
        .where((eb) => eb.and(conditions))
        .orderBy('order_id', 'desc')
        .limit(filter.limit)
        .execute();
      return rows.map((row) => row.order_id);
    } catch (error) {
      throw toStoreFault(error, this.warehouse);
    }
  }

  private async conditionsOf(filter: OrderFilter): Promise<Expression<SqlBool>[]> {
    const lead = await findLead(this.db, filter);
    return [...rangeConditions(filter), ...writtenConditions(filter, lead), ...otherConditions(filter, lead !== undefined)];
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
  const addIndexed = (condition: Expression<SqlBool>): void => add(isLed ? hidden(condition) : condition);
  if (filter.customerId !== undefined) addIndexed(sql`orders.customer_id = ${filter.customerId}`);
  if (filter.status !== undefined) (RARE.has(filter.status) ? addIndexed : add)(statusCondition(filter.status));
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

/** What `rare_state` tells, with an index of its own. */
const RARE: ReadonlySet<OrderStatus> = new Set(['failed', 'cancelled', 'held', 'needs_attention']);

function statusCondition(status: OrderStatus): Expression<SqlBool> {
  switch (status) {
    case 'queued':
      return sql`orders.state = 'queued' and orders.direction = 'forward' and ${IS_OPEN}`;
    case 'processing':
      return sql`orders.state = 'running' and orders.direction = 'forward' and not ${TURNED_BACK} and ${IS_OPEN}`;
    case 'rolling_back':
      return sql`orders.state in ('queued', 'running') and (orders.direction = 'rollback' or (orders.state = 'running' and ${TURNED_BACK}))
        and ${IS_OPEN}`;
    case 'completed':
      return sql`orders.state = 'completed'`;
    default:
      return sql`orders.rare_state = ${status}::order_state`;
  }
}
