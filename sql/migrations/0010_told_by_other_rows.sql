-- The two events that every order has, its acceptance and its claim, are told by rows that are written anyway: two rows of history less
-- for each order. `order_history` shows every event; docs/decisions/0011-told-by-other-rows.md has the figures.

-- A claim is told by the first event after it: it was by the same session, at the version before. Null: that event follows no claim,
-- or the claim has a row of its own. Until there is such an event, the order's row tells of it: while an order runs, its
-- `next_run_at` is the time of its claim.
alter table order_events add column claimed_at timestamptz, alter column session_id type integer;  -- two thousand million lives are enough
create index order_events_by_claim on order_events using brin (claimed_at) with (pages_per_range = 16, autosummarize = on)
  where claimed_at is not null;

-- An acceptance is told by the order's row, unless it has something to say (what an order is a retry of).
create index orders_by_acceptance on orders using brin (accepted_at) with (pages_per_range = 16, autosummarize = on);

-- Every event of every order. Read it by order; the outbox has its own way by time.
create view order_history as
select o.order_id, 1 as version, 'accepted'::event_kind as kind, 1::smallint as step, 'forward'::order_direction as direction,
       null::integer as session_id, 0 as fence, o.accepted_at as at, null::jsonb as data
  from orders o where not exists (select from order_events e where e.order_id = o.order_id and e.version = 1)
union all
select e.order_id, e.version - 1, 'claimed', e.step, e.direction, e.session_id, e.fence, e.claimed_at, null
  from order_events e where e.claimed_at is not null
union all
select o.order_id, o.version, 'claimed', o.step, o.direction, o.owner_session::integer, o.fence, o.next_run_at, null
  from orders o
 where o.state = 'running' and not exists (select from order_events e where e.order_id = o.order_id and e.version >= o.version)
union all
select e.order_id, e.version, e.kind, e.step, e.direction, e.session_id, e.fence, e.at, e.data from order_events e;

-- Ends sessions and gives their orders back to the queue, each where it stood.
-- VOLATILE on purpose: every statement inside takes a new snapshot. The lock on the session (FOR UPDATE) waits for the claims and
-- advances under way (they hold FOR KEY SHARE) and shuts out new ones; only the next statement, with its newer snapshot, sees what they
-- committed. As one statement this loses the orders claimed in between.
create or replace function end_sessions(ids bigint[], reason text) returns table (session_id bigint, handed_over integer)
language plpgsql volatile as $$
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

    with stood as materialized (
      select o.order_id, coalesce(e.version, o.version) as version, o.version as claim_version, o.fence, o.next_run_at as claimed_at,
             o.step as claim_step, o.direction as claim_direction, coalesce(step_after(e.kind, e.step), o.step) as step,
             coalesce(direction_after(e.kind, e.direction), o.direction) as direction,
             case when e.version is null then o.retries else 0 end as retries
        from order_work w
        join orders o on o.order_id = w.order_id
        left join lateral (
          select * from order_events h where h.order_id = o.order_id and h.version > o.version order by h.version desc limit 1) e on true
       where w.owner_session = doomed
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
    )
    insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
    select r.order_id, r.version, case reason when 'left' then 'handed_back' else 'handed_over' end::event_kind,
           r.step, r.direction, doomed, r.fence, clock_timestamp()
      from released r;

    get diagnostics handed_over = row_count;
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
-- by one row and is told by another later keeps its time; every snapshot shows it exactly once.
create or replace function read_outbox(after_at timestamptz, after_id uuid, after_version integer, span interval, max_rows integer,
                                       out upper timestamptz, out events json)
language plpgsql volatile as $$
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
            select x.order_id, x.version - 1, 'claimed', x.step, x.direction, x.session_id, x.fence, x.claimed_at, null
              from order_events x where x.claimed_at >= after_at and x.claimed_at < upper
            union all
            select r.order_id, r.version, 'claimed', r.step, r.direction, r.owner_session, r.fence, r.next_run_at, null
              from order_work w join orders r on r.order_id = w.order_id
             where w.owner_session is not null and r.next_run_at >= after_at and r.next_run_at < upper
               and not exists (select from order_events t where t.order_id = r.order_id and t.version >= r.version)
            union all
            select a.order_id, 1, 'accepted', 1, 'forward', null, 0, a.accepted_at, null
              from orders a
             where a.accepted_at >= after_at and a.accepted_at < upper
               and not exists (select from order_events t where t.order_id = a.order_id and t.version = 1)) all_events
           where (at, order_id, version) > (after_at, after_id, after_version)
           order by at, order_id, version limit max_rows) e
    join orders o on o.order_id = e.order_id;
end $$;
