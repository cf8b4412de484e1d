-- The completion of a step inside an order's run is written as a part of one row for the whole batch, and told by the next event's row
-- of that order: three rows of history less for each order. docs/decisions/0017-journal.md has the figures.

-- First of all: readers lock the view before its tables, and so does this.
drop view order_history;

-- One row for each batch of completed steps that a session wrote. It tells of them until a row of `order_events` does: the next event
-- of the order, or what the end of the session writes. After that it is in nobody's way, and removed by and by (see forget_told_steps).
create table order_journal (
  session_id integer not null,
  batch bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  order_ids uuid[] not null,
  versions integer[] not null,
  results jsonb,                                -- what the steps told, null where none of them told anything
  primary key (session_id, batch),
  check (cardinality(order_ids) = cardinality(versions))
) with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
create index order_journal_by_time on order_journal (at);
-- Batches are made so that a row fits on its page: trying to compress ids would cost more than it saves.
alter table order_journal alter column order_ids set storage plain, alter column versions set storage plain;

-- Where a session's journal begins: what was removed before is not read again, however long its dead rows stay (an old snapshot keeps
-- them for as long as it lives). Not in the session's own row: its heartbeats must not wait for who looks through the journal.
create table journal_begins (
  session_id integer primary key,
  batch bigint not null
) with (fillfactor = 50);

create function journal_begin(session integer) returns bigint
language sql stable as $$
  select coalesce((select b.batch from journal_begins b where b.session_id = session), 0)
$$;

-- `steps_at`: when the steps right before this event were completed, that have no rows of their own. They are of the same session and
-- fence, at the versions and the steps before it. `results`: what they told, null where none of them told anything.
alter table order_events add column steps_at timestamptz[], add column results jsonb;

-- What a row tells of beside its own event began at the claim or at the first of those steps.
drop index order_events_by_claim;
create index order_events_by_told on order_events using brin ((coalesce(claimed_at, steps_at[1])))
  with (pages_per_range = 16, autosummarize = on) where claimed_at is not null or steps_at is not null;

-- Completed steps that only the journal of the order's owner tells of, after the version at which it was claimed. The answer to a write
-- may be lost and the same be written again: the first one counts. What a row of `order_events` tells is not told again, whatever
-- stands here.
create function journaled_steps(id uuid, owner bigint, claim_version integer) returns table (version integer, at timestamptz, data jsonb)
language sql stable as $$
  select distinct on (m.version) m.version, j.at, nullif(m.result, 'null')
    from order_journal j
   cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results)) as m (order_id, version, result)
   where j.session_id = owner::integer
     and j.batch >= journal_begin(owner::integer)
     and id = any (j.order_ids) and m.order_id = id and m.version > claim_version
     and not exists (select from order_events e where e.order_id = id and e.version >= m.version)
   order by m.version, j.batch
$$;

-- What a row of `order_events` tells beside its own event: the claim and the completed steps right before it.
create function told_before(own_version integer, own_step smallint, claimed_at timestamptz, steps_at timestamptz[], results jsonb)
returns table (version integer, kind event_kind, step smallint, at timestamptz, data jsonb)
language sql immutable as $$
  select own_version - cardinality(steps_at) + s.n::integer - 1, 'step_completed'::event_kind,
         (own_step - cardinality(steps_at) + s.n - 1)::smallint, s.at, nullif(results -> (s.n - 1)::integer, 'null')
    from unnest(steps_at) with ordinality as s (at, n)
   union all
  select own_version - coalesce(cardinality(steps_at), 0) - 1, 'claimed', (own_step - coalesce(cardinality(steps_at), 0))::smallint,
         claimed_at, null
   where claimed_at is not null
$$;

-- Every event of every order. Read it by order; the outbox has its own way by time.
create view order_history as
select o.order_id, t.version, t.kind, t.step, t.direction, t.session_id, t.fence, t.at, t.data
  from orders o
 cross join lateral (
   select 1 as version, 'accepted'::event_kind as kind, 1::smallint as step, 'forward'::order_direction as direction,
          null::integer as session_id, 0 as fence, o.accepted_at as at, null::jsonb as data
    where not exists (select from order_events e where e.order_id = o.order_id and e.version = 1)
    union all
   select o.version, 'claimed', o.step, o.direction, o.owner_session::integer, o.fence, o.next_run_at, null
    where o.state = 'running' and not exists (select from order_events e where e.order_id = o.order_id and e.version >= o.version)
    union all
   select j.version, 'step_completed', (o.step + j.version - o.version - 1)::smallint, 'forward', o.owner_session::integer, o.fence,
          j.at, j.data
     from journaled_steps(o.order_id, o.owner_session, o.version) j where o.state = 'running'
    union all
   select h.version, h.kind, h.step, e.direction, e.session_id, e.fence, h.at, h.data
     from order_events e
    cross join lateral (
      select e.version, e.kind, e.step, e.at, e.data
       union all
      select b.version, b.kind, b.step, b.at, b.data from told_before(e.version, e.step, e.claimed_at, e.steps_at, e.results) b
    ) as h (version, kind, step, at, data)
    where e.order_id = o.order_id) as t;

-- Removes batches of a session's journal that tell of no order in its hands. It looks at what the session owns and at its journal with
-- one snapshot, so that no order can leave its hands in between; and it holds the session's row as a move does, so that it never meets
-- the session's end. A session writes one batch after the other: what this does not see yet has a higher number than all that it sees.
create function forget_told_steps(session bigint) returns void
language sql volatile as $$
  with sess as materialized (
    select s.session_id::integer as session_id from node_sessions s where s.session_id = session and s.state <> 'dead' for key share
  ), batches as materialized (
    select j.batch, j.order_ids from sess join order_journal j using (session_id)
     where j.batch >= journal_begin(session::integer)
  ), looked_at as materialized (
    -- What the session owns, from the first of these orders on: not through the dead entries of all that it ever owned.
    select b.batch, (select coalesce(bool_or(i.order_id in (
                              select w.order_id from order_work w
                               where w.owner_session = session
                                 and w.order_id >= (select f.order_id from batches a cross join lateral unnest(a.order_ids) as f (order_id)
                                                     order by 1 limit 1))), false)
                       from unnest(b.order_ids) as i (order_id)) as is_needed
      from batches b
  ), gone as (
    delete from order_journal j using looked_at l where j.session_id = session::integer and j.batch = l.batch and not l.is_needed
  )
  insert into journal_begins as b (session_id, batch)
  select session::integer, coalesce(min(l.batch) filter (where l.is_needed), max(l.batch) + 1) from looked_at l having count(*) > 0
  on conflict (session_id) do update set batch = excluded.batch
$$;

-- Ends sessions and gives their orders back to the queue, each where it stood.
-- VOLATILE on purpose: every statement inside takes a new snapshot. The lock on the session (FOR UPDATE) waits for the claims and
-- advances under way (they hold FOR KEY SHARE) and shuts out new ones; only the next statement, with its newer snapshot, sees what they
-- committed. As one statement this loses the orders claimed in between.
-- What it gathers is joined by hash: a session may own thousands of orders.
create or replace function end_sessions(ids bigint[], reason text) returns table (session_id bigint, handed_over integer)
language plpgsql volatile set enable_hashjoin = on as $$
declare
  doomed bigint;
begin
  for doomed in
    select s.session_id from node_sessions s
     where s.session_id = any (ids) and s.state <> 'dead'
       and (reason <> 'expired' or s.lease_until < clock_timestamp())
       and (reason <> 'connection_lost' or s.has_liveness)
     order by s.session_id
       for update skip locked                   -- one stuck session must not hold up the others
  loop
    continue when reason = 'connection_lost' and not pg_try_advisory_xact_lock(liveness_class(), liveness_key(doomed));

    update node_sessions s set state = 'dead', busy = 0, ended_at = clock_timestamp(), ended_reason = reason
     where s.session_id = doomed;

    -- Its leadership ends with it: nobody has to wait for that lease.
    update leader_lease l set lease_until = '-infinity' where l.holder = doomed and l.lease_until > '-infinity';

    with owned as materialized (
      select o.order_id, o.fence, o.version, o.step, o.direction, o.retries, o.next_run_at as claimed_at,
             e.version as last_version, e.kind as last_kind, e.step as last_step, e.direction as last_direction
        from order_work w
        join orders o on o.order_id = w.order_id
        left join lateral (
          select * from order_events h where h.order_id = o.order_id and h.version > o.version order by h.version desc limit 1) e on true
       where w.owner_session = doomed
    ), journaled as materialized (              -- the whole journal once, not once for each order
      select distinct on (o.order_id, m.version) o.order_id, m.version, j.at, m.result as data
        from order_journal j
       cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results))
               as m (order_id, version, result)
        join orders o on o.order_id = m.order_id and o.owner_session = doomed and o.version < m.version
       where j.session_id = doomed::integer
         and j.batch >= journal_begin(doomed::integer)
       order by o.order_id, m.version, j.batch
    ), untold as materialized (
      select j.order_id, max(j.version) as version, array_agg(j.at order by j.version) as at,
             case when count(nullif(j.data, 'null')) > 0 then jsonb_agg(j.data order by j.version) end as data
        from journaled j join owned o on o.order_id = j.order_id and j.version > coalesce(o.last_version, o.version)
       group by j.order_id
    ), stood as materialized (
      select o.order_id, o.fence, o.claimed_at, coalesce(u.version, o.last_version, o.version) as version,
             o.version as claim_version, o.step as claim_step, o.direction as claim_direction,
             case when u.version is not null then o.step + u.version - o.version
                  else coalesce(step_after(o.last_kind, o.last_step), o.step) end as step,
             coalesce(direction_after(o.last_kind, o.last_direction), o.direction) as direction,
             case when coalesce(u.version, o.last_version) is null then o.retries else 0 end as retries,
             o.last_version is null as is_claim_untold, u.at as steps_at, u.data as results
        from owned o left join untold u on u.order_id = o.order_id
    ), released as (
      update orders o
         set state = 'queued', owner_session = null, fence = o.fence + 1, version = s.version + 1,
             step = s.step, direction = s.direction, retries = s.retries, next_run_at = clock_timestamp(),
             crash_count = o.crash_count + (reason in ('expired', 'connection_lost') and o.crash_count < 2)::int
        from stood s where o.order_id = s.order_id
      returning o.order_id, o.version, o.fence, o.step, o.direction, o.next_run_at
    ), freed as (
      update order_work w set owner_session = null, next_run_at = r.next_run_at
        from released r where w.owner_session = doomed and w.order_id = r.order_id
    ), claims as (                              -- where nothing followed the claim, only the order's row told of it
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
      select s.order_id, s.claim_version, 'claimed', s.claim_step, s.claim_direction, doomed, s.fence, s.claimed_at
        from stood s where s.version = s.claim_version
      on conflict do nothing
    ), steps as (                               -- what only the journal told of: the last step, and with it those before
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, claimed_at, data, steps_at, results)
      select s.order_id, s.version, 'step_completed', s.step - 1, s.direction, doomed, s.fence, s.steps_at[n.last],
             case when s.is_claim_untold then s.claimed_at end, nullif(s.results -> (n.last - 1), 'null'),
             nullif(trim_array(s.steps_at, 1), '{}'), case when n.last > 1 then s.results - (n.last - 1) end
        from stood s cross join lateral (select cardinality(s.steps_at) as last) n where s.steps_at is not null
      on conflict do nothing
    )
    insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
    select r.order_id, r.version, case reason when 'left' then 'handed_back' else 'handed_over' end::event_kind,
           r.step, r.direction, doomed, r.fence, clock_timestamp()
      from released r;

    get diagnostics handed_over = row_count;
    delete from order_journal j
     where j.session_id = doomed::integer
       and j.batch >= journal_begin(doomed::integer);
    delete from journal_begins b where b.session_id = doomed::integer;
    -- A node that lives is told at once: it drops what it held with its next tick.
    if reason = 'transfer' then
      perform pg_notify('conveyor_work_' || doomed, 'wish');
    end if;
    session_id := doomed;
    return next;
  end loop;
end $$;

-- Up to `max_rows` events after a place, oldest first, none beyond `span` of time after it. `upper`: everything below it was seen if
-- fewer came back. VOLATILE on purpose: the events are read with a newer snapshot than the open transactions. An event that was told
-- by one row and is told by another later keeps its time; every snapshot shows it exactly once. (A step that was written again because
-- an answer was lost may be seen twice, under one name.)
create or replace function read_outbox(after_at timestamptz, after_id uuid, after_version integer, span interval, max_rows integer,
                                       out upper timestamptz, out events json)
language plpgsql volatile set plan_cache_mode = force_custom_plan as $$
declare
  oldest timestamptz;
begin
  upper := clock_timestamp();                                  -- before looking: what begins later is younger
  select min(a.xact_start) into oldest from pg_stat_activity a
   where a.datname = current_database() and a.pid <> pg_backend_pid() and a.application_name like 'conveyor %';
  upper := least(upper, oldest, after_at + span);
  select json_agg(json_build_array(e.order_id, e.version, e.kind, e.step, e.direction, e.session_id, e.fence, e.at::text, e.data,
                                   o.workflow_id, o.content, o.customer_id) order by e.at, e.order_id, e.version)
    into events
    from (select * from (
            select x.order_id, x.version, x.kind, x.step, x.direction, x.session_id, x.fence, x.at, x.data
              from order_events x where x.at >= after_at and x.at < upper
            union all
            select x.order_id, t.version, t.kind, t.step, x.direction, x.session_id, x.fence, t.at, t.data
              from order_events x
             cross join lateral told_before(x.version, x.step, x.claimed_at, x.steps_at, x.results) t
             where x.at >= after_at and coalesce(x.claimed_at, x.steps_at[1]) < upper
               and (x.claimed_at is not null or x.steps_at is not null)
               and t.at >= after_at and t.at < upper
            union all
            select r.order_id, r.version, 'claimed', r.step, r.direction, r.owner_session, r.fence, r.next_run_at, null
              from order_work w join orders r on r.order_id = w.order_id
             where w.owner_session is not null and r.next_run_at >= after_at and r.next_run_at < upper
               and not exists (select from order_events t where t.order_id = r.order_id and t.version >= r.version)
            union all
            select r.order_id, m.version, 'step_completed', (r.step + m.version - r.version - 1)::smallint, 'forward', r.owner_session,
                   r.fence, j.at, nullif(m.result, 'null')
              from order_journal j
             cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results))
                     as m (order_id, version, result)
              join orders r on r.order_id = m.order_id and r.owner_session = j.session_id and r.version < m.version
             where j.at >= after_at and j.at < upper
               and not exists (select from order_events t where t.order_id = r.order_id and t.version >= m.version)
            union all
            select a.order_id, 1, 'accepted', 1, 'forward', null, 0, a.accepted_at, null
              from orders a
             where a.accepted_at >= after_at and a.accepted_at < upper
               and not exists (select from order_events t where t.order_id = a.order_id and t.version = 1)) all_events
           where (at, order_id, version) > (after_at, after_id, after_version)
           order by at, order_id, version limit max_rows) e
    join orders o on o.order_id = e.order_id;
end $$;
