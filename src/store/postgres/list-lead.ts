import { type Expression, type QueryExecutorProvider, type SqlBool, sql } from 'kysely';
import type { OrderFilter } from '#engine/store.ts';

/** What the customer wrote and lists may ask for, each with an index of its own; what finds few as a rule comes first. */
const WRITTEN = { trackingId: 'tracking_id', customerName: 'customer_name', symbol: 'symbol', region: 'region' } as const;
type Written = keyof typeof WRITTEN;

/** What finds fewer orders than this, or than a page holds, leads whatever else is asked for. */
const MANY = 1_000;

/**
 * The one text of the customer by whose index a list is read; `undefined`: by something else. The planner knows nothing of how often
 * a text occurs. It takes each for rare, and reads the index of a common region or symbol from end to end, alone or to merge it with
 * another. So one index is chosen here, after a look at how much each finds, and all others are hidden from it:
 * docs/decisions/0013-one-index-leads-a-list.md.
 */
export async function findLead(db: QueryExecutorProvider, filter: OrderFilter): Promise<Written | undefined> {
  const written = writtenIn(filter);
  const [first] = written;
  if (first === undefined || (written.length === 1 && !hasOtherLead(filter))) return first;
  const counts = await countUpTo(db, filter, written);
  const rarest = written.reduce((one, other) => ((counts[other] ?? 0) < (counts[one] ?? 0) ? other : one));
  return (counts[rarest] ?? 0) < manyFor(filter) || !hasOtherLead(filter) ? rarest : undefined;
}

function manyFor({ limit }: OrderFilter): number {
  return Math.max(MANY, limit);
}

export function writtenConditions(filter: OrderFilter, lead: Written | undefined): Expression<SqlBool>[] {
  return writtenIn(filter).map((name) => {
    const condition = sql<SqlBool>`orders.content ->> ${sql.lit(WRITTEN[name])} = ${filter[name]}`;
    return name === lead ? condition : hidden(condition);
  });
}

/** The same to whoever it selects for; to the planner something that no index finds, and that half of all orders are. */
export function hidden(condition: Expression<SqlBool>): Expression<SqlBool> {
  return sql<SqlBool>`coalesce(${condition}, false)`;
}

function writtenIn(filter: OrderFilter): Written[] {
  return (Object.keys(WRITTEN) as Written[]).filter((name) => filter[name] !== undefined);
}

/** Something else whose index, or whose few rows, give a page without reading very many: completed orders are most of all. */
function hasOtherLead({ customerId, statuses, step, nodeId }: OrderFilter): boolean {
  const isFew = statuses?.every((status) => status !== 'completed') ?? false;
  return customerId !== undefined || isFew || step !== undefined || nodeId !== undefined;
}

async function countUpTo(
  db: QueryExecutorProvider,
  filter: OrderFilter,
  written: readonly Written[],
): Promise<Partial<Record<Written, number>>> {
  const counts = written.map((name) => {
    const found = sql`select from orders where content ->> ${sql.lit(WRITTEN[name])} = ${filter[name]} order by order_id desc limit ${manyFor(filter)}`;
    return sql`(select count(*)::int from (${found}) as found) as ${sql.ref(name)}`;
  });
  const { rows } = await sql<Partial<Record<Written, number>>>`select ${sql.join(counts)}`.execute(db);
  return rows[0] ?? {};
}
