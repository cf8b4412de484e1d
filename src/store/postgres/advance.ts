import { isEnded } from '#domain/order-state.ts';
import type { MoveVerdict, OrderMove } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';

/**
 * One statement for every slot that waits. A move inside the order's run is one row of history and nothing else; a move
 * that ends the session's hold on the order (`to_state`) writes the order's row too.
 * - `sess` FOR KEY SHARE: while this runs, nobody can declare the session dead; once it is dead, nothing is written.
 * - The owner and the fence stand in every condition. The order's row needs no lock for an append: the only ways an
 *   ownership ends are this session's own closing moves and the session's end.
 * - A version that is taken refuses an append quietly (a move sent twice), but fails a closing loudly: its row would be
 *   written without its event.
 * - `completed` is not written while a cancel waits. The update meets the newest row, the snapshot may not: so a refused
 *   `completed` of an order that is still held can only mean a cancel.
 * Only refused moves are answered: usually none.
 */
const ADVANCE_ORDERS: Statement = {
  name: 'advance_orders',
  text: `
    with sess as materialized (
      select session_id from node_sessions where session_id = $1 and state <> 'dead' for key share
    ), move as materialized (
      select * from unnest($2::uuid[], $3::int[], $4::int[], $5::event_kind[], $6::smallint[], $7::order_direction[], $8::jsonb[],
                           $9::order_state[], $10::smallint[], $11::order_direction[], $12::smallint[], $13::float8[], $14::boolean[])
        with ordinality as t (order_id, fence, version, kind, step, direction, data,
                              to_state, to_step, to_direction, to_retries, delay_ms, ends, n)
    ), closed as (
      update orders o
         set state = m.to_state, owner_session = null, fence = o.fence + 1, version = m.version, step = m.to_step,
             direction = m.to_direction, retries = m.to_retries,
             next_run_at = clock_timestamp() + m.delay_ms * interval '1 millisecond',
             ended_at = case when m.ends then clock_timestamp() end
        from move m, sess
       where m.to_state is not null and o.order_id = m.order_id
         and o.state = 'running' and o.owner_session = sess.session_id and o.fence = m.fence
         and (m.kind <> 'completed' or o.requested is null)
      returning m.n
    ), told_closed as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, data)
      select m.order_id, m.version, m.kind, m.step, m.direction, $1, m.fence, clock_timestamp(), m.data
        from move m where m.n in (select n from closed)
    ), appended as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, data)
      select m.order_id, m.version, m.kind, m.step, m.direction, sess.session_id, m.fence, clock_timestamp(), m.data
        from move m, sess
       where m.to_state is null
         and exists (select from orders o where o.order_id = m.order_id
                        and o.state = 'running' and o.owner_session = sess.session_id and o.fence = m.fence)
      on conflict (order_id, version) do nothing
      returning order_id, version
    )
    select m.n,
           exists (select from order_events e
                    where e.order_id = m.order_id and e.version = m.version and e.session_id = $1 and e.fence = m.fence
                      and e.kind = m.kind and e.step = m.step) as replayed,
           m.kind = 'completed' and exists (select from sess) and exists (
             select from orders o where o.order_id = m.order_id and o.owner_session = $1 and o.fence = m.fence) as cancel_requested
      from move m
     where case when m.to_state is null then (m.order_id, m.version) not in (select order_id, version from appended)
                else m.n not in (select n from closed) end`,
};

interface RefusedRow {
  n: number;
  replayed: boolean;
  cancel_requested: boolean;
}

/** Writes a batch of moves; verdicts in their order. */
export async function advanceOrders(connection: Connection, session: number, moves: OrderMove[]): Promise<MoveVerdict[]> {
  const refused = await connection.run<RefusedRow>(ADVANCE_ORDERS, [session, ...moveArrays(moves)]);
  const verdicts = moves.map((): MoveVerdict => 'applied');
  for (const { n, replayed, cancel_requested } of refused) {
    verdicts[n - 1] = replayed ? 'replayed' : cancel_requested ? 'cancel_requested' : 'fenced';
  }
  return verdicts;
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
    arrayOf(moves.map((move) => move.closing?.state ?? 'NULL')),
    arrayOf(moves.map((move) => move.closing?.at.step ?? 'NULL')),
    arrayOf(moves.map((move) => move.closing?.at.direction ?? 'NULL')),
    arrayOf(moves.map((move) => move.closing?.retries ?? 'NULL')),
    arrayOf(moves.map((move) => move.closing?.delayMs ?? 'NULL')),
    arrayOf(moves.map((move) => (move.closing ? isEnded(move.closing.state) : 'NULL'))),
  ];
}
