import { isEnded } from '#domain/order-state.ts';
import type { MoveVerdict, OrderMove } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';
import { isUniqueViolation } from './faults.ts';
import { follows, isJournaled, type OrderJournal, type Standing, untoldArrays } from './journal.ts';

/**
 * Moves inside an order's run, other than completed steps (see journal.ts): one row of history each and nothing else.
 * - `sess` FOR KEY SHARE: while this runs, nobody can declare the session dead; once it is dead, nothing is written.
 * - The row tells of the completed steps before it that only the journal told of, and the first row after a claim of the claim too
 *   (see the view order_history).
 * - Owner and fence stand in the condition, read by primary key. The order's row needs no lock: the only ways an ownership
 *   ends are the session's own closing moves and the session's end.
 * - The start of an undoing tells who asked for it; the node knows only that somebody did.
 * - The answer is a count; only when it is short, the ids that were written come along.
 */
const appendMoves = (name: string, onConflict: string): Statement => ({
  name,
  text: `
    with sess as materialized (
      select session_id from node_sessions where session_id = $1 and state <> 'dead' for key share
    ), appended as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, claimed_at, data, steps_at, results)
      select m.order_id, m.version, m.kind, m.step, m.direction, sess.session_id, m.fence, clock_timestamp(),
             case when m.first_version = o.version + 1 then o.next_run_at end,
             case m.kind when 'cancel_started' then o.requested_by else m.data end, m.steps_at::timestamptz[], m.results
        from unnest($2::uuid[], $3::int[], $4::int[], $5::event_kind[], $6::smallint[], $7::order_direction[], $8::jsonb[],
                    $9::int[], $10::text[], $11::jsonb[])
               as m (order_id, fence, version, kind, step, direction, data, first_version, steps_at, results)
       cross join sess
        join orders o on o.order_id = m.order_id and o.fence = m.fence and o.owner_session = sess.session_id
      ${onConflict}
      returning order_id
    )
    select count(*)::int as written, case when count(*) < cardinality($2::uuid[]) then array_agg(order_id::text) end as order_ids
      from appended`,
});

/** The usual one. A version that is taken fails it: then the careful one runs. */
const APPEND_MOVES = appendMoves('append_moves', '');
/** Passes over versions that are taken, at the price of half as much again of WAL: for moves that may have been sent before. */
const APPEND_MOVES_AGAIN = appendMoves('append_moves_again', 'on conflict (order_id, version) do nothing');

/**
 * Moves that end the session's hold on the order: its row is written too.
 * - An order whose cancel waits neither completes nor waits for a retry: the update meets the newest row.
 * - There is no condition on the state: an owner stands exactly on running rows.
 * - `place`, looked up for each order: joined by owner and order, statistics from when nobody owned anything make a plan that reads
 *   all that the session owns and all dead entries of it for each order (four times as slow). Only its owner touches that row.
 * - `counted` adds what completes to the session's own totals.
 * - None of the indexes of `orders` changes (HOT).
 */
const CLOSE_ORDERS: Statement = {
  name: 'close_orders',
  text: `
    with sess as materialized (
      select session_id from node_sessions where session_id = $1 and state <> 'dead' for key share
    ), closed as (
      update orders o
         set state = m.to_state, owner_session = null, fence = o.fence + 1, version = m.version, step = m.to_step,
             direction = m.to_direction, retries = m.to_retries,
             next_run_at = clock_timestamp() + m.delay_ms * interval '1 millisecond',
             ended_at = case when m.ends then clock_timestamp() end
        from unnest($2::uuid[], $3::int[], $4::int[], $5::event_kind[], $6::smallint[], $7::order_direction[], $8::jsonb[],
                    $9::int[], $10::text[], $11::jsonb[], $12::order_state[], $13::smallint[], $14::order_direction[], $15::smallint[],
                    $16::float8[], $17::boolean[], $18::numeric[])
               as m (order_id, fence, version, kind, step, direction, data, first_version, steps_at, results, to_state, to_step,
                     to_direction, to_retries, delay_ms, ends, price)
       cross join sess
       where o.order_id = m.order_id and o.owner_session = sess.session_id and o.fence = m.fence
         and (o.requested is null or m.direction = 'rollback' or m.kind not in ('completed', 'retry_scheduled'))
      returning m.order_id, m.version, m.kind, m.step, m.direction, sess.session_id, m.fence, m.data, m.price, o.state, o.next_run_at,
                m.steps_at, m.results, case when m.first_version = old.version + 1 then old.next_run_at end as claimed_at,
                (select w.ctid from order_work w where w.owner_session = $1 and w.order_id = m.order_id) as place
    ), gone as (
      delete from order_work w using closed c where w.ctid = c.place and c.state <> 'queued'
    ), put_back as (
      update order_work w set owner_session = null, next_run_at = c.next_run_at
        from closed c where w.ctid = c.place and c.state = 'queued'
    ), counted as (
      insert into order_totals as t (session_id, completed, priced, price_sum)
      select $1, count(*), count(price), coalesce(sum(price), 0) from closed where kind = 'completed' having count(*) > 0
      on conflict (session_id) do update
         set completed = t.completed + excluded.completed, priced = t.priced + excluded.priced, price_sum = t.price_sum + excluded.price_sum
    ), told as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, claimed_at, data, steps_at, results)
      select order_id, version, kind, step, direction, session_id, fence, clock_timestamp(), claimed_at, data, steps_at::timestamptz[],
             results
        from closed
    )
    select count(*)::int as written, case when count(*) < cardinality($2::uuid[]) then array_agg(order_id::text) end as order_ids
      from closed`,
};

/**
 * Why moves were not written; a statement of its own, so that its snapshot shows what they met. My own event at that
 * version: it was written before. Still mine: only a waiting cancel refuses a move. Else it is not mine any more. Not `exists`: a
 * plan for it may read the whole table into a hash.
 */
const EXPLAIN_REFUSALS: Statement = {
  name: 'explain_refusals',
  text: `
    select (select true from order_history h
             where h.order_id = m.order_id and h.version = m.version and h.session_id = $1 and h.fence = m.fence
               and h.kind = m.kind and h.step = m.step) is true as replayed,
           m.kind in ('completed', 'retry_scheduled') and (
             select true from orders o where o.order_id = m.order_id and o.owner_session = $1 and o.fence = m.fence
                and o.requested is not null) is true as cancel_requested
      from unnest($2::uuid[], $3::int[], $4::int[], $5::event_kind[], $6::smallint[])
             with ordinality as m (order_id, fence, version, kind, step, n)
     order by m.n`,
};

interface WrittenRow {
  written: number;
  order_ids: string[] | null;
}

/** One each, so that neither kind waits for the disk behind the other. */
type MoveConnections = Record<'moves' | 'closings', Connection>;

type Standings = ReadonlyMap<string, Standing>;

/** Writes a batch of moves, at most one per order; verdicts in their order. */
export async function advanceOrders(
  connections: MoveConnections,
  journal: OrderJournal,
  session: number,
  moves: OrderMove[],
): Promise<MoveVerdict[]> {
  const standings = await journal.standingsOf(session, moves);
  const refused = new Set<OrderMove>();
  const followers = moves.filter((move) => {
    const standing = standings.get(move.orderId);
    // Of an order that is not this session's the statement itself says so.
    const isNext = !standing || follows(move, standing);
    if (!isNext) refused.add(move);
    return isNext;
  });
  const steps = followers.filter(isJournaled);
  const appends = followers.filter((move) => !isJournaled(move) && !move.closing);
  const closings = followers.filter((move) => move.closing);
  const note = (unwritten: readonly OrderMove[]): void => unwritten.forEach((move) => void refused.add(move));
  try {
    await Promise.all([
      journal.write(session, steps, standings).then(note),
      appends.length > 0 && append(connections.moves, standings, session, appends).then(note),
      closings.length > 0 && close(connections.closings, standings, session, closings).then(note),
    ]);
  } catch (error) {
    journal.forget(moves);
    throw error;
  }
  for (const move of [...appends, ...closings]) if (!refused.has(move)) journal.noteRow(move, standings.get(move.orderId));
  if (refused.size === 0) return moves.map(() => 'applied');
  const reasons = await explain(connections.moves, session, [...refused]);
  journal.forget([...refused]);
  return moves.map((move) => reasons.get(move) ?? 'applied');
}

/** Answers the moves that were not written. */
async function append(connection: Connection, standings: Standings, session: number, moves: OrderMove[]): Promise<OrderMove[]> {
  const values = [session, ...moveArrays(moves), ...untoldArrays(moves, standings)];
  try {
    return refusedOf(moves, await connection.run<WrittenRow>(APPEND_MOVES, values));
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return refusedOf(moves, await connection.run<WrittenRow>(APPEND_MOVES_AGAIN, values));
  }
}

async function close(connection: Connection, standings: Standings, session: number, moves: OrderMove[]): Promise<OrderMove[]> {
  const values = [session, ...moveArrays(moves), ...untoldArrays(moves, standings), ...closingArrays(moves)];
  return refusedOf(moves, await connection.run<WrittenRow>(CLOSE_ORDERS, values));
}

function refusedOf(moves: OrderMove[], [row]: WrittenRow[]): OrderMove[] {
  if (row?.written === moves.length) return [];
  const written = new Set(row?.order_ids ?? []);
  return moves.filter((move) => !written.has(move.orderId));
}

async function explain(connection: Connection, session: number, moves: OrderMove[]): Promise<Map<OrderMove, MoveVerdict>> {
  const rows = await connection.run<{ replayed: boolean; cancel_requested: boolean }>(EXPLAIN_REFUSALS, [
    session,
    ...moveArrays(moves).slice(0, 5),
  ]);
  return new Map(
    moves.map((move, index) => {
      const reason = rows[index];
      return [move, reason?.replayed ? 'replayed' : reason?.cancel_requested ? 'cancel_requested' : 'fenced'];
    }),
  );
}

function moveArrays(moves: readonly OrderMove[]): string[] {
  return [
    arrayOf(moves.map((move) => move.orderId)),
    arrayOf(moves.map((move) => move.fence)),
    arrayOf(moves.map((move) => move.version)),
    arrayOf(moves.map((move) => move.kind)),
    arrayOf(moves.map((move) => move.step)),
    arrayOf(moves.map((move) => move.direction)),
    textArrayOf(moves.map((move) => (move.data === null ? null : JSON.stringify(move.data)))),
  ];
}

function closingArrays(moves: readonly OrderMove[]): string[] {
  const closings = moves.flatMap((move) => move.closing ?? []);
  return [
    arrayOf(closings.map((closing) => closing.state)),
    arrayOf(closings.map((closing) => closing.at.step)),
    arrayOf(closings.map((closing) => closing.at.direction)),
    arrayOf(closings.map((closing) => closing.retries)),
    arrayOf(closings.map((closing) => closing.delayMs)),
    arrayOf(closings.map((closing) => isEnded(closing.state))),
    textArrayOf(moves.map(({ executionPrice }) => executionPrice ?? null)),
  ];
}
