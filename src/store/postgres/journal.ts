import type { Json } from '#domain/json.ts';
import type { ClaimedOrder, OrderMove } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';

/**
 * Steps completed inside a run: one row for the whole batch, told later by the row of what follows (see
 * sql/migrations/0018_journal.sql). Fenced like every move: by the session's row, and by owner and fence of each order. All are
 * written or none; where some are refused, the ids of the others come along.
 */
const JOURNAL_STEPS: Statement = {
  name: 'journal_steps',
  text: `
    with sess as materialized (
      select session_id from node_sessions where session_id = $1 and state <> 'dead' for key share
    ), mine as materialized (
      select count(*) as n, case when count(*) < cardinality($2::uuid[]) then array_agg(o.order_id::text) end as order_ids
        from unnest($2::uuid[], $3::int[]) as m (order_id, fence)
       cross join sess
        join orders o on o.order_id = m.order_id and o.fence = m.fence and o.owner_session = sess.session_id
    ), written as (
      insert into order_journal (session_id, order_ids, versions, results)
      select sess.session_id, $2::uuid[], $4::int[], $5::jsonb from sess, mine where mine.n = cardinality($2::uuid[])
      returning at
    )
    select (select at::text from written) as at, order_ids from mine`,
};

/** Of orders that a session owns: the version of the last event, and the completed steps that only the journal tells of. */
const READ_UNTOLD: Statement = {
  name: 'read_untold',
  text: `
    select o.order_id, o.fence, coalesce((s.steps -> -1 ->> 0)::integer, r.version, o.version) as version, s.steps
      from unnest($2::uuid[]) as i (order_id)
      join orders o on o.order_id = i.order_id and o.owner_session = $1
      left join lateral (select e.version from order_events e where e.order_id = o.order_id and e.version > o.version
                          order by e.version desc limit 1) r on true
      left join lateral (select jsonb_agg(jsonb_build_array(j.version, j.at::text, j.data) order by j.version) as steps
                           from journaled_steps(o.order_id, o.owner_session, o.version) j) s on true`,
};

const FORGET_TOLD_STEPS: Statement = { name: 'forget_told_steps', text: 'select forget_told_steps($1)' };

/** A row of the journal has to fit on a page: 20 bytes for each step. */
const MAX_BATCH = 250;
/** Batches that a session writes until those that tell of nothing any more are removed. */
const FORGET_EVERY = 256;

interface UntoldStep {
  /** In the server's own words: to the microsecond. */
  at: string;
  /** JSON as it was written: the handler's own object may change. */
  data: string | null;
}

/** What is known of an order in hand. */
export interface Standing {
  session: number;
  fence: number;
  /** Of its last event. */
  version: number;
  untold: UntoldStep[];
}

interface UntoldRow {
  order_id: string;
  fence: number;
  version: number;
  steps: [version: number, at: string, data: Json][] | null;
}

export function isJournaled(move: OrderMove): boolean {
  return move.kind === 'step_completed' && !move.closing;
}

/**
 * The journal of a store's sessions, and what the next row of each order has to tell. That is only remembered here: whatever is not
 * known, or not known any more (an answer was lost), is read from the database before the next write.
 */
export class OrderJournal {
  private readonly connections: Record<'moves' | 'hints', Connection>;
  private readonly standings = new Map<string, Standing>();
  private readonly batches = new Map<number, number>();

  constructor(connections: Record<'moves' | 'hints', Connection>) {
    this.connections = connections;
  }

  /** These were claimed just now: their rows tell all. */
  noteClaimed(session: number, orders: readonly ClaimedOrder[]): void {
    for (const { orderId, fence, version } of orders) this.standings.set(orderId, { session, fence, version, untold: [] });
  }

  /** The move's row was written, and tells of all steps before. */
  noteRow(move: OrderMove, standing: Standing | undefined): void {
    if (move.closing) this.standings.delete(move.orderId);
    if (!standing) return;
    standing.version = move.version;
    standing.untold = [];
  }

  forget(orders: readonly { orderId: string }[]): void {
    for (const { orderId } of orders) this.standings.delete(orderId);
  }

  forgetSession(session: number): void {
    this.batches.delete(session);
    for (const [orderId, standing] of this.standings) if (standing.session === session) this.standings.delete(orderId);
  }

  /**
   * How the orders of these moves stand, by id; what is not known is read. What is missing is not this session's. The answer stays right
   * whatever is forgotten meanwhile: only these moves are under way.
   */
  async standingsOf(session: number, moves: readonly OrderMove[]): Promise<Map<string, Standing>> {
    const found = new Map<string, Standing>();
    const unknown: string[] = [];
    for (const move of moves) {
      const standing = this.standings.get(move.orderId);
      if (standing && standing.session === session && follows(move, standing)) found.set(move.orderId, standing);
      else unknown.push(move.orderId);
    }
    if (unknown.length === 0) return found;
    const rows = await this.connections.moves.run<UntoldRow>(READ_UNTOLD, [session, arrayOf(unknown)]);
    for (const { order_id, fence, version, steps } of rows) {
      const untold = (steps ?? []).map(([, at, data]) => ({ at, data: textOf(data) }));
      const standing = { session, fence, version, untold };
      found.set(order_id, standing);
      this.standings.set(order_id, standing);
    }
    return found;
  }

  /** Writes completed steps; answers those that were refused. */
  async write(session: number, moves: OrderMove[], standings: ReadonlyMap<string, Standing>): Promise<OrderMove[]> {
    const batches = Array.from({ length: Math.ceil(moves.length / MAX_BATCH) }, (_, n) => moves.slice(n * MAX_BATCH, (n + 1) * MAX_BATCH));
    return (await Promise.all(batches.map((batch) => this.writeBatch(session, batch, standings)))).flat();
  }

  private async writeBatch(session: number, moves: OrderMove[], standings: ReadonlyMap<string, Standing>): Promise<OrderMove[]> {
    const results = moves.map(({ data }) => textOf(data));
    const [row] = await this.connections.moves.run<{ at: string | null; order_ids: string[] | null }>(JOURNAL_STEPS, [
      session,
      arrayOf(moves.map(({ orderId }) => orderId)),
      arrayOf(moves.map(({ fence }) => fence)),
      arrayOf(moves.map(({ version }) => version)),
      jsonArrayOf(results),
    ]);
    const at = row?.at;
    if (at) {
      for (const [index, move] of moves.entries()) noteStep(standings.get(move.orderId), move, { at, data: results[index] ?? null });
      this.countBatch(session);
      return [];
    }
    const mine = new Set(row?.order_ids ?? []);
    const others = moves.filter(({ orderId }) => !mine.has(orderId));
    const rest = moves.filter(({ orderId }) => mine.has(orderId));
    return rest.length > 0 ? [...others, ...(await this.writeBatch(session, rest, standings))] : others;
  }

  /** What was told can be removed at any time: nobody waits for it, and the next time will do as well. */
  private countBatch(session: number): void {
    const count = (this.batches.get(session) ?? 0) + 1;
    this.batches.set(session, count % FORGET_EVERY);
    if (count === FORGET_EVERY) this.connections.hints.run(FORGET_TOLD_STEPS, [session]).catch(() => undefined);
  }
}

/** Whether the move is the next one of an order that stands so. */
export function follows({ fence, version }: OrderMove, standing: Standing): boolean {
  return standing.fence === fence && standing.version + 1 === version;
}

function noteStep(standing: Standing | undefined, { version }: OrderMove, step: UntoldStep): void {
  if (standing?.version !== version - 1) return;
  standing.version = version;
  standing.untold.push(step);
}

/** What the rows of these moves tell beside their own events: see `first_version`, `steps_at` and `results` of the statements. */
export function untoldArrays(moves: readonly OrderMove[], standings: ReadonlyMap<string, Standing>): string[] {
  const untold = moves.map(({ orderId }) => standings.get(orderId)?.untold ?? []);
  return [
    arrayOf(moves.map(({ version }, index) => version - (untold[index]?.length ?? 0))),
    textArrayOf(untold.map((steps) => (steps.length > 0 ? textArrayOf(steps.map(({ at }) => at)) : null))),
    textArrayOf(untold.map((steps) => jsonArrayOf(steps.map(({ data }) => data)))),
  ];
}

function textOf(data: Json): string | null {
  return data === null ? null : JSON.stringify(data);
}

/** Null where there is nothing in it. */
function jsonArrayOf(texts: readonly (string | null)[]): string | null {
  return texts.some((text) => text !== null) ? `[${texts.map((text) => text ?? 'null').join(',')}]` : null;
}
