import type { EpochMs } from '#domain/time.ts';
import type { KeyReservation, ReserveVerdict } from '#engine/peer-store.ts';
import type { AcceptVerdict, NewOrder, OrderKey } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';
import { isDeadlock, isOpen, isUniqueViolation, toOpenFault } from './faults.ts';
import { wakingNodes } from './sessions.ts';
import type { WorkflowIds } from './workflow-ids.ts';

/**
 * New orders without keys: nothing can stand in their way. Their rows tell of their acceptance (see the view order_history). Its time
 * is the statement's, as an event's has to be: the outbox counts on it. Nodes are told of `$6` orders with the commit.
 */
const INSERT_ORDERS: Statement = {
  name: 'insert_orders',
  text: `
    with new as materialized (
      select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::jsonb[], $5::jsonb[])
        as t (order_id, customer_id, workflow_id, content, routed_because)
    ), stored as (
      insert into orders (order_id, customer_id, workflow_id, content, routed_because, accepted_at, next_run_at)
      select order_id, customer_id, workflow_id, content, routed_because, statement_timestamp(), statement_timestamp() from new
    ), queued as (
      insert into order_work (order_id, next_run_at, workflow_id) select order_id, statement_timestamp(), workflow_id from new
    ), hint as materialized (${wakingNodes('$6::int')})
    select statement_timestamp() as accepted_at, (select woken from hint where $6::int > 0)`,
};

/**
 * New orders with keys. An order is stored only when its first key was free; its other keys are then inserted plainly, so
 * that a key taken by another order fails the statement instead of leaving half an order (the batch is then divided).
 * Keys go in by order, so that two gateways do not wait for each other crosswise.
 */
const INSERT_KEYED_ORDERS: Statement = {
  name: 'insert_keyed_orders',
  text: `
    with new as materialized (
      select * from unnest($1::uuid[], $2::text[], $3::smallint[], $4::jsonb[], $5::jsonb[])
        as t (order_id, customer_id, workflow_id, content, routed_because)
    ), key as materialized (
      select * from unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::bytea[], $11::boolean[], $12::text[])
        as t (order_id, customer_id, kind, key, body_hash, first, home)
    ), won as (
      insert into order_keys (customer_id, kind, key, order_id, body_hash, home)
      select customer_id, kind, key, order_id, body_hash, home from key where first order by customer_id, kind, key
      on conflict do nothing
      returning order_id
    ), others as (
      insert into order_keys (customer_id, kind, key, order_id, body_hash, home)
      select customer_id, kind, key, order_id, body_hash, home from key
       where not first and order_id in (select order_id from won) order by customer_id, kind, key
    ), stored as (
      insert into orders (order_id, customer_id, workflow_id, content, routed_because, keyed, accepted_at, next_run_at)
      select order_id, customer_id, workflow_id, content, routed_because, true, statement_timestamp(), statement_timestamp()
        from new where order_id in (select order_id from won)
    ), queued as (
      insert into order_work (order_id, next_run_at, keyed_at, workflow_id)
      select order_id, statement_timestamp(), statement_timestamp(), workflow_id from new where order_id in (select order_id from won)
    ), hint as materialized (${wakingNodes('$13::int')})
    select order_id, statement_timestamp() as accepted_at, (select woken from hint where $13::int > 0) from won`,
};

/** The same for keys of orders that another warehouse is about to store. */
const RESERVE_KEYS: Statement = {
  name: 'reserve_keys',
  text: `
    with key as materialized (
      select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::boolean[])
        as k (order_id, customer_id, kind, key, body_hash, first)
    ), won as (
      insert into order_keys (customer_id, kind, key, order_id, body_hash)
      select customer_id, kind, key, order_id, body_hash from key where first order by customer_id, kind, key
      on conflict do nothing
      returning order_id
    ), others as (
      insert into order_keys (customer_id, kind, key, order_id, body_hash)
      select customer_id, kind, key, order_id, body_hash from key
       where not first and order_id in (select order_id from won) order by customer_id, kind, key
    )
    select order_id from won`,
};

/** A statement of its own after the insert: only a new snapshot shows the order that won a race. */
const FIND_KEYS: Statement = {
  name: 'find_keys',
  text: `
    select i.n, k.order_id, k.body_hash, o.accepted_at
      from unnest($1::text[], $2::text[], $3::text[]) with ordinality as i (customer_id, kind, key, n)
      join order_keys k using (customer_id, kind, key)
      left join orders o on o.order_id = k.order_id
     order by i.n`,
};

interface WonRow {
  order_id: string;
  accepted_at: EpochMs;
}

interface KeyRow {
  n: number;
  order_id: string;
  body_hash: Buffer;
  /** Null: the order is another warehouse's. */
  accepted_at: EpochMs | null;
}

/** An order, as far as its keys are concerned. */
type KeyedOrder = Pick<NewOrder, 'orderId' | 'customerId' | 'keys' | 'bodyHash'>;

/** Keys that are looked up first: a request with several may meet some of them, and then must not insert the others. */
const MANY_KEYS = 2;
const MAX_DEADLOCKS = 3;

/** Accepting: a batch of new orders in, each order's verdict out, durable before it is answered. */
export class OrderIntake {
  private readonly connection: Connection;
  private readonly workflowIds: WorkflowIds;

  constructor(connection: Connection, workflowIds: WorkflowIds) {
    this.connection = connection;
    this.workflowIds = workflowIds;
  }

  /** With `hint`, nodes are told within the same statement: its commit tells them. */
  async accept(orders: NewOrder[], hint: boolean): Promise<AcceptVerdict[]> {
    await this.workflowIds.ready(orders);
    const verdicts = new Map<NewOrder, AcceptVerdict>();
    const plain = orders.filter((order) => order.keys.length === 0);
    const keyed = orders.filter((order) => order.keys.length > 0);
    const parts = await Promise.allSettled([
      ...(plain.length > 0 ? [this.insertPlain(plain, verdicts, hint)] : []),
      ...(keyed.length > 0 ? [this.insertKeyed(keyed, verdicts, hint)] : []),
    ]);
    const faults = parts.flatMap((part) => (part.status === 'rejected' ? [part.reason] : []));
    // Only where no part was sent is the outcome of the whole batch known.
    if (faults.length > 0) throw faults.length === parts.length ? (faults.find(isOpen) ?? faults[0]) : toOpenFault(faults[0]);
    return orders.map((order) => verdicts.get(order) as AcceptVerdict);
  }

  private async insertPlain(orders: NewOrder[], verdicts: Map<NewOrder, AcceptVerdict>, hint: boolean): Promise<void> {
    const values = [...this.orderArrays(orders), hint ? orders.length : 0];
    const [row] = await this.connection.runDurably<{ accepted_at: EpochMs }>(INSERT_ORDERS, values);
    const acceptedAt = (row as { accepted_at: EpochMs }).accepted_at;
    for (const order of orders) verdicts.set(order, { outcome: 'created', orderId: order.orderId, acceptedAt });
  }

  /** Keys that lead to orders which other warehouses are about to store. */
  async reserve(reservations: KeyReservation[]): Promise<ReserveVerdict[]> {
    const verdicts = new Map<KeyReservation, ReserveVerdict>();
    const taken = new Map<KeyReservation, AcceptVerdict>();
    await this.takeKeys(reservations, taken, async (open) => {
      const won = await this.insertUntangled<{ order_id: string }>(RESERVE_KEYS, keyArrays(open), open.length);
      const ids = new Set(won.map((row) => row.order_id));
      for (const one of open) if (ids.has(one.orderId)) verdicts.set(one, { outcome: 'reserved' });
      return open.filter((one) => !ids.has(one.orderId));
    });
    for (const [one, verdict] of taken) {
      const isOrder = verdict.outcome === 'elsewhere' || verdict.outcome === 'existing' || verdict.outcome === 'created';
      verdicts.set(one, isOrder ? { outcome: 'existing', orderId: verdict.orderId } : verdict);
    }
    return reservations.map((one) => verdicts.get(one) as ReserveVerdict);
  }

  private async insertKeyed(orders: NewOrder[], verdicts: Map<NewOrder, AcceptVerdict>, hint: boolean): Promise<void> {
    await this.takeKeys(orders, verdicts, async (open) => {
      const homes = open.flatMap(({ keys, unsettledHome }) => keys.map(() => unsettledHome));
      const values = [...this.orderArrays(open), ...keyArrays(open), textArrayOf(homes), hint ? open.length : 0];
      const won = await this.insertUntangled<WonRow>(INSERT_KEYED_ORDERS, values, open.length);
      const acceptedAt = new Map(won.map((row) => [row.order_id, row.accepted_at]));
      for (const order of open) {
        const at = acceptedAt.get(order.orderId);
        if (at !== undefined) verdicts.set(order, { outcome: 'created', orderId: order.orderId, acceptedAt: at });
      }
      return open.filter((order) => !verdicts.has(order));
    });
  }

  /** Answers those whose keys exist; `insert` takes the keys of the others and returns the ones that lost a race. */
  private async takeKeys<One extends KeyedOrder>(
    orders: One[],
    verdicts: Map<One, AcceptVerdict>,
    insert: (open: One[]) => Promise<One[]>,
  ): Promise<void> {
    await this.answerKnown(
      orders.filter((order) => order.keys.length >= MANY_KEYS),
      verdicts,
    );
    const open = orders.filter((order) => !verdicts.has(order));
    if (open.length === 0) return;
    const lost = await insert(open);
    // What was inserted is inserted, even if the database goes away now.
    await this.answerKnown(lost, verdicts).catch((error: unknown) => Promise.reject(toOpenFault(error)));
    for (const order of lost) {
      if (!verdicts.has(order)) throw new Error(`assertion failed: the key of order ${order.orderId} was taken and is not there`);
    }
  }

  /** Rows of the orders whose first key was free. */
  private async insertUntangled<Row>(statement: Statement, values: (string | number)[], orderCount: number): Promise<Row[]> {
    for (let deadlocks = 0; ; deadlocks += 1) {
      try {
        return await this.connection.runDurably<Row>(statement, values);
      } catch (error) {
        // Another request took one of the further keys meanwhile: a single order is answered by whom it met.
        if (orderCount === 1 && isUniqueViolation(error)) return [];
        if (!isDeadlock(error) || deadlocks >= MAX_DEADLOCKS) throw error;
      }
    }
  }

  /** Answers every order one of whose keys exists. */
  private async answerKnown<One extends KeyedOrder>(orders: One[], verdicts: Map<One, AcceptVerdict>): Promise<void> {
    if (orders.length === 0) return;
    const keys = orders.flatMap((order) => order.keys.map((key) => ({ order, key })));
    const rows = await this.connection.run<KeyRow>(FIND_KEYS, [
      textArrayOf(keys.map(({ order }) => order.customerId)),
      arrayOf(keys.map(({ key }) => key.kind)),
      textArrayOf(keys.map(({ key }) => key.key)),
    ]);
    const known = new Map<One, { key: OrderKey; row: KeyRow }[]>();
    for (const row of rows) {
      const { order, key } = keys[row.n - 1] as { order: One; key: OrderKey };
      known.set(order, [...(known.get(order) ?? []), { key, row }]);
    }
    for (const [order, found] of known) verdicts.set(order, judge(order, found));
  }

  private orderArrays(orders: NewOrder[]): string[] {
    return [
      arrayOf(orders.map((order) => order.orderId)),
      textArrayOf(orders.map((order) => order.customerId)),
      arrayOf(orders.map((order) => this.workflowIds.of(order))),
      textArrayOf(orders.map((order) => JSON.stringify(order.content))),
      textArrayOf(orders.map(({ routedBecause }) => routedBecause && JSON.stringify(routedBecause))),
    ];
  }
}

/** One row for each key of each order. */
function keyArrays(orders: readonly KeyedOrder[]): string[] {
  const keys = orders.flatMap((order) => order.keys.map((key, index) => ({ order, key, first: index === 0 })));
  return [
    arrayOf(keys.map(({ order }) => order.orderId)),
    textArrayOf(keys.map(({ order }) => order.customerId)),
    arrayOf(keys.map(({ key }) => key.kind)),
    textArrayOf(keys.map(({ key }) => key.key)),
    textArrayOf(keys.map(({ order }) => `\\x${order.bodyHash?.toString('hex') ?? ''}`)),
    arrayOf(keys.map(({ first }) => first)),
  ];
}

function judge(order: KeyedOrder, found: { key: OrderKey; row: KeyRow }[]): AcceptVerdict {
  const first = found[0] as { key: OrderKey; row: KeyRow };
  const stranger = found.find(({ row }) => row.order_id !== first.row.order_id);
  if (stranger) return { outcome: 'keys_disagree', key: stranger.key };
  const changed = found.find(({ row }) => !order.bodyHash || !row.body_hash.equals(order.bodyHash));
  if (changed) return { outcome: 'other_body', key: changed.key };
  const { order_id: orderId, accepted_at: acceptedAt } = first.row;
  return acceptedAt === null ? { outcome: 'elsewhere', orderId } : { outcome: 'existing', orderId, acceptedAt };
}
