import { describe, expect, it } from 'vitest';
import { SCENARIOS } from './scenarios.ts';
import { perform, plant, REAL_SQL, type SqlUnderTest } from './support.ts';

/** The takeover as one statement: it keeps the snapshot it had before it waited for the session's lock. */
const END_SESSIONS_IN_ONE_STATEMENT = `
  create or replace function end_sessions(ids bigint[], reason text) returns table (session_id bigint, handed_over integer)
  language sql volatile as $$
    with doomed as materialized (
      select s.session_id from node_sessions s where s.session_id = any (ids) and s.state <> 'dead' for update
    ), ended as (
      update node_sessions s set state = 'dead', busy = 0, ended_at = clock_timestamp(), ended_reason = reason
        from doomed d where s.session_id = d.session_id
    ), stood as materialized (
      select o.order_id, d.session_id, coalesce(e.version, o.version) as version, coalesce(step_after(e.kind, e.step), o.step) as step,
             coalesce(direction_after(e.kind, e.direction), o.direction) as direction
        from doomed d join order_work w on w.owner_session = d.session_id join orders o using (order_id)
        left join lateral (
          select * from order_events h where h.order_id = o.order_id and h.version > o.version order by h.version desc limit 1) e on true
    ), released as (
      update orders o set state = 'queued', owner_session = null, fence = o.fence + 1, version = s.version + 1, step = s.step,
             direction = s.direction, next_run_at = clock_timestamp()
        from stood s where o.order_id = s.order_id
      returning o.order_id, s.session_id, o.version, o.fence, o.step, o.direction, o.next_run_at
    ), freed as (
      update order_work w set owner_session = null, next_run_at = r.next_run_at
        from released r where w.owner_session = r.session_id and w.order_id = r.order_id
    ), told as (
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
      select order_id, version, 'handed_over', step, direction, session_id, fence, clock_timestamp() from released
    )
    select d.session_id, (select count(*)::int from released r where r.session_id = d.session_id) from doomed d
  $$`;

const SESSION_CHECK = "where session_id = $1 and state <> 'dead' for key share";
const OWNER_CHECK = ' and o.fence = m.fence and o.owner_session = sess.session_id';

/** Bugs that have broken other systems, each planted into a copy of the SQL, and what must notice it. */
const PLANTED: readonly [bug: string, sql: SqlUnderTest, noticed: RegExp][] = [
  ['no key share in claim', plant({ claim_orders: [[' for key share', '']] }), /owned by a dead session|had been ended claimed/],
  [
    'takeover in one statement',
    { ...REAL_SQL, setUp: [END_SESSIONS_IN_ONE_STATEMENT] },
    /owned by a dead session|goes on at step 1, though step 1 was completed/,
  ],
  [
    'no fence in advance',
    plant({
      journal_steps: [
        [SESSION_CHECK, 'where session_id = $1'],
        [OWNER_CHECK, ''],
      ],
      append_moves: [
        [SESSION_CHECK, 'where session_id = $1'],
        [OWNER_CHECK, ''],
      ],
      close_orders: [
        [SESSION_CHECK, 'where session_id = $1'],
        ['and o.owner_session = sess.session_id and o.fence = m.fence', ''],
      ],
    }),
    /I7: a late write of the first owner was applied/,
  ],
  ['no reconcile', { ...REAL_SQL, reconciles: false }, /stays running on a live node/],
  [
    'a heartbeat by the name of the node',
    plant({
      tick: [
        [
          "where session_id = $1 and state <> 'dead'",
          "where node_id = (select s.node_id from node_sessions s where s.session_id = $1) and state <> 'dead'",
        ],
      ],
    }),
    /a dead session had its heartbeat answered/,
  ],
  [
    "a leader's renewal without its term",
    plant({ tick: [['(l.holder = $1 and l.term = $10)', '(l.holder = $1)']] }),
    /a renewal of an old term/,
  ],
];

describe('two connections, interleaved exactly', () => {
  it.each(SCENARIOS)('%s', async (_, scenario) => {
    expect(await perform(REAL_SQL, scenario)).toEqual([]);
  });
});

describe('bugs planted into a copy of the SQL are found', () => {
  it.each(PLANTED)('%s', async (_, sql, noticed) => {
    const findings: string[] = [];
    for (const [name, scenario] of SCENARIOS) {
      const found = await perform(sql, scenario).catch((error: Error) => [`stopped: ${error.message}`]);
      findings.push(...found.map((finding) => `${name}: ${finding}`));
    }
    expect(findings.join('\n')).toMatch(noticed);
  });
});
