import type pg from 'pg';
import type { OrderRecord } from '#domain/order.ts';
import type { Store } from '#engine/store.ts';
import { readRecords, violationsOf } from '#test/orders.ts';
import { findStrayWork } from '#test/work-table.ts';

/** What a run left behind, as its histories and rows tell. */
export interface Verdict {
  orders: number;
  /** Breaches of the protocol's invariants, in words; empty when all is well. */
  violations: string[];
  handedOver: number;
  handedBack: number;
  fencedWrites: number;
  endedSessions: Record<string, number>;
  leaderTerms: number;
  slowestOrderS: number;
}

export async function judge(store: Store, client: pg.Client, orderIds: string[]): Promise<Verdict> {
  const records = await readRecords(store, orderIds);
  const violations = violationsOf(records).map(({ invariant, orderId, message }) => `${invariant} ${orderId}: ${message}`);
  const missing = orderIds.length - records.length;
  if (missing > 0) violations.push(`I1 ${missing} accepted orders are not there`);
  const rows = await countOf(client, 'select count(*)::int as n from orders');
  if (rows !== orderIds.length) violations.push(`I2 ${rows} orders are stored, ${orderIds.length} were accepted`);
  const orphans = await countOf(
    client,
    `select count(*)::int as n from orders o join node_sessions s on s.session_id = o.owner_session where s.state = 'dead'`,
  );
  if (orphans > 0) violations.push(`I3 ${orphans} orders are owned by dead sessions`);
  const late = await countOf(
    client,
    `select count(*)::int as n from order_history e join node_sessions s using (session_id)
      where e.at > s.ended_at and e.kind not in ('handed_over', 'handed_back')`,
  );
  if (late > 0) violations.push(`I6 ${late} events were written by sessions after their end`);
  violations.push(...(await findStrayWork(client)));
  return {
    orders: records.length,
    violations,
    handedOver: countEvents(records, 'handed_over'),
    handedBack: countEvents(records, 'handed_back'),
    fencedWrites: await countOf(
      client,
      'select coalesce(sum(n), 0)::int as n from (select max(fenced_writes) as n from node_sessions group by node_id, pid) s',
    ),
    endedSessions: await readEndings(client),
    leaderTerms: await countOf(client, 'select term::int as n from leader_lease'),
    slowestOrderS: Math.max(0, ...records.map(({ order }) => ((order.endedAt ?? order.acceptedAt) - order.acceptedAt) / 1_000)),
  };
}

function countEvents(records: readonly OrderRecord[], kind: string): number {
  return records.reduce((sum, { events }) => sum + events.filter((event) => event.kind === kind).length, 0);
}

async function countOf(client: pg.Client, text: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(text);
  return rows[0]?.n ?? 0;
}

async function readEndings(client: pg.Client): Promise<Record<string, number>> {
  const { rows } = await client.query<{ reason: string; n: number }>(
    `select ended_reason as reason, count(*)::int as n from node_sessions where state = 'dead' group by 1 order by 1`,
  );
  return Object.fromEntries(rows.map(({ reason, n }) => [reason, n]));
}
