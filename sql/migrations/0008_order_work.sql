-- What waits and what is in somebody's hands, in a narrow table of its own: `orders` keeps no index that changes with an order's
-- state, so that claiming and ending an order update its row in place (HOT) instead of adding to each of its indexes.
-- docs/decisions/0009-work-table.md has the figures.

-- One row for each order that is queued (no owner) or running. `next_run_at` and `owner_session` are those of its row in `orders`.
create table order_work (
  order_id      uuid not null,
  next_run_at   timestamptz not null,
  owner_session bigint,
  keyed_at      timestamptz,                    -- when an order with keys was accepted: the gate may hold it; null: it has none
  workflow_id   smallint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

insert into order_work (order_id, next_run_at, owner_session, keyed_at, workflow_id)
select order_id, next_run_at, owner_session, case when keyed then accepted_at end, workflow_id
  from orders where state in ('queued', 'running');

create index order_work_queued on order_work (next_run_at, order_id) where owner_session is null;
create index order_work_owned on order_work (owner_session, order_id) where owner_session is not null;

drop index orders_queued;
drop index orders_owned;
drop index orders_stopped;

-- The states that few orders are in are found by an index that the usual way of an order never touches.
alter table orders add column rare_state order_state
  generated always as (case when state in ('failed', 'cancelled', 'held', 'needs_attention') then state end) stored;
create index orders_in_rare_states on orders (rare_state, order_id) where rare_state is not null;

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
      select o.order_id, e.version, step_after(e.kind, e.step) as step, direction_after(e.kind, e.direction) as direction,
             case when e.version = o.version then o.retries else 0 end as retries
        from order_work w
        join orders o on o.order_id = w.order_id
        cross join lateral (
          select * from order_events h where h.order_id = o.order_id order by h.version desc limit 1) e
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

-- Who changes a waiting order locks its row of order_work before that of orders, as a claim does; crosswise they would wait for each
-- other. What the order was before the locks may be past: then nothing is done and the caller asks again (`moved`).
create or replace function cancel_order(id uuid, customer text, author jsonb,
                                        out outcome text, out found_state order_state, out found_direction order_direction)
language plpgsql volatile as $$
declare
  before orders;
  o orders;
begin
  select * into before from orders where order_id = id and (customer is null or customer_id = customer);
  if not found then
    outcome := 'unknown';
    return;
  end if;
  if before.state = 'queued' then
    perform from order_work w
     where w.owner_session is null and w.next_run_at = before.next_run_at and w.order_id = id for no key update;
  end if;
  select * into o from orders where order_id = id for no key update;
  if o.state = 'queued' and (before.state <> 'queued' or o.next_run_at <> before.next_run_at) then
    outcome := 'moved';
    return;
  end if;
  found_state := o.state;
  found_direction := o.direction;
  if o.state = 'running' and exists (
    select from order_events e
     where e.order_id = id and e.version > o.version and e.kind in ('step_failed', 'cancel_started')) then
    found_direction := 'rollback';
  end if;

  if o.state in ('queued', 'running') and o.requested is not null then
    outcome := 'requested';
    return;
  elsif o.state not in ('queued', 'running', 'needs_attention') or found_direction = 'rollback' then
    outcome := 'refused';
    return;
  elsif o.state = 'needs_attention' then
    update orders
       set state = 'queued', requested = 'cancel', direction = 'rollback', version = o.version + 2, retries = 0,
           next_run_at = clock_timestamp()
     where order_id = id;
    perform queue_order(id);
    insert into order_events (order_id, version, kind, step, direction, fence, at, data)
    values (id, o.version + 1, 'released', o.step, 'forward', o.fence, clock_timestamp(), author),
           (id, o.version + 2, 'cancel_started', o.step, 'forward', o.fence, clock_timestamp(), author);
    outcome := 'requested';
  elsif o.state = 'running' then
    update orders set requested = 'cancel' where order_id = id;
    perform pg_notify('conveyor_work_' || o.owner_session, 'wish');
    outcome := 'requested';
  elsif o.version = 1 then
    update orders set state = 'cancelled', version = 2, fence = fence + 1, ended_at = clock_timestamp() where order_id = id;
    delete from order_work w where w.owner_session is null and w.next_run_at = o.next_run_at and w.order_id = id;
    insert into order_events (order_id, version, kind, step, direction, fence, at, data)
    values (id, 2, 'cancelled', o.step, 'forward', o.fence + 1, clock_timestamp(), author);
    outcome := 'cancelled';
  else
    update orders
       set requested = 'cancel', direction = 'rollback', version = o.version + 1, retries = 0, next_run_at = clock_timestamp()
     where order_id = id;
    delete from order_work w where w.owner_session is null and w.next_run_at = o.next_run_at and w.order_id = id;
    perform queue_order(id);
    insert into order_events (order_id, version, kind, step, direction, fence, at, data)
    values (id, o.version + 1, 'cancel_started', o.step, 'forward', o.fence, clock_timestamp(), author);
    outcome := 'requested';
  end if;
  perform record_intervention('order.cancel', id::text, author);
end $$;

create or replace function release_order(id uuid, author jsonb,
                                         out outcome text, out found_state order_state, out found_direction order_direction)
language plpgsql volatile as $$
declare
  o orders;
begin
  select * into o from orders where order_id = id for no key update;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  found_state := o.state;
  found_direction := o.direction;
  if o.state not in ('needs_attention', 'held') then
    outcome := 'refused';
    return;
  end if;
  update orders
     set state = 'queued', version = o.version + 1, retries = 0, next_run_at = clock_timestamp()
   where order_id = id;
  perform queue_order(id);
  insert into order_events (order_id, version, kind, step, direction, fence, at, data)
  values (id, o.version + 1, 'released', o.step, o.direction, o.fence, clock_timestamp(), author);
  perform record_intervention('order.release', id::text, author);
  outcome := 'released';
end $$;

create or replace function retry_order(id uuid, new_id uuid, customer text, workflow smallint, author jsonb,
                                       out outcome text, out found_state order_state, out found_direction order_direction, out retry_id uuid)
language plpgsql volatile as $$
declare
  o orders;
  moment timestamptz := clock_timestamp();
begin
  select * into o from orders where order_id = id and (customer is null or customer_id = customer) for share;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  found_state := o.state;
  found_direction := o.direction;
  if o.state not in ('failed', 'cancelled') then
    outcome := 'refused';
    return;
  end if;

  insert into order_keys (customer_id, kind, key, order_id, body_hash) values (o.customer_id, 'retry', id::text, new_id, '')
  on conflict do nothing;
  if not found then
    select k.order_id into retry_id from order_keys k where (k.customer_id, k.kind, k.key) = (o.customer_id, 'retry', id::text);
    outcome := 'existing';
    return;
  end if;
  insert into orders (order_id, accepted_at, next_run_at, workflow_id, customer_id, content, retry_of)
  values (new_id, moment, moment, workflow, o.customer_id, o.content, id);
  perform queue_order(new_id);
  insert into order_events (order_id, version, kind, step, direction, fence, at, data)
  values (new_id, 1, 'accepted', 1, 'forward', 0, moment, author || jsonb_build_object('retry_of', id));
  perform record_intervention('order.retry', id::text, author, jsonb_build_object('order_id', new_id));
  retry_id := new_id;
  outcome := 'created';
end $$;

-- Puts an order that was in nobody's hands among those that wait; its row says since when.
create function queue_order(id uuid) returns void language sql volatile as $$
  insert into order_work (order_id, next_run_at, keyed_at, workflow_id)
  select order_id, next_run_at, case when keyed then accepted_at end, workflow_id from orders where order_id = id
$$;

create or replace function turn_gate(session bigint, lead_term bigint, keep interval, time_limit interval, out state text, out marked integer)
language plpgsql volatile as $$
declare
  l leader_lease;
  others text[];
begin
  marked := 0;
  select * into l from leader_lease where name = 'warehouse' for no key update;
  select w.peers into others from warehouse w;
  if l.holder is distinct from session or l.term <> lead_term then
    state := 'not_leader';
    return;
  elsif cardinality(others) = 0 or l.gate_epoch is null then    -- nothing to compare with, or nothing was here before
    state := 'open';
  elsif not gate_is_attended(l) then
    update leader_lease
       set gate_closed_at = clock_timestamp(), gate_round = gate_round + 1, gate_compared = '{}'
     where name = 'warehouse';
    state := 'closed';
  elsif l.gate_closed_at is null or l.gate_compared @> others then
    state := 'open';
  elsif clock_timestamp() - l.gate_closed_at > time_limit then
    insert into key_conflicts (kind, customer_id, order_id, missing)
    select 'not_compared', o.customer_id, o.order_id, array(select unnest(others) except select unnest(l.gate_compared) order by 1)
      from order_work w join orders o on o.order_id = w.order_id
     where w.keyed_at <= l.gate_closed_at
    on conflict do nothing;
    get diagnostics marked = row_count;
    state := 'forced';
  else
    state := 'closed';
  end if;
  update leader_lease
     set gate_epoch = pg_postmaster_start_time(), gate_until = clock_timestamp() + keep,
         gate_closed_at = case when state = 'closed' then gate_closed_at end,
         gate_opened_at = case when state = 'closed' then gate_opened_at else clock_timestamp() end
   where name = 'warehouse';
end $$;
