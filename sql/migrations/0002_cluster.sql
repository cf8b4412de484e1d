-- The cluster: who leads, who is alive beyond the lease, what operators ask of nodes, what they did by hand, and retries.
-- src/engine/lease.ts explains the protocol.

-- What a node says of itself, and what an operator wishes of it.
alter table node_sessions
  add column address       text,                             -- of its operations port, for operators
  add column last_beat_at  timestamptz not null default clock_timestamp(),
  add column has_liveness  boolean not null default false,   -- it holds its liveness lock: who finds that free may end the session
  add column asked         text check (asked in ('drain', 'stop')),
  add column fenced_writes bigint not null default 0,
  add column takeovers     bigint not null default 0,
  add column handed_over   bigint not null default 0;
create index node_sessions_by_node on node_sessions (node_id, session_id);

-- The one leader of this warehouse. Losing it is harmless: every chore is idempotent. One row, made here.
create table leader_lease (
  name        text primary key,
  holder      bigint,
  term        bigint not null default 0,
  tick_no     bigint not null default 0,                     -- moves with the leader's work, not with its renewals
  worked_at   timestamptz not null default '-infinity',
  lease_until timestamptz not null default '-infinity'
) with (fillfactor = 10);                                    -- one row, renewed all the time: its versions share the page
insert into leader_lease (name) values ('warehouse');

-- What was done by hand: who, what, when, why.
create table audit (
  audit_id uuid primary key default uuidv7(),
  at       timestamptz not null default clock_timestamp(),
  actor    text not null,
  action   text not null,
  target   text not null,
  reason   text,
  detail   jsonb
);

alter table orders add column retry_of uuid;
alter table order_keys drop constraint order_keys_kind_check;
alter table order_keys add constraint order_keys_kind_check check (kind in ('header', 'tracking', 'client', 'retry'));
alter type event_kind add value 'released';
alter table tokens drop constraint tokens_role_check;
alter table tokens add constraint tokens_role_check check (role in ('customer', 'operator', 'join'));

-- The liveness lock of a session: a session-level advisory lock that the node's own connection holds. Its process dies, its
-- connection ends, the lock is free.
create function liveness_class() returns integer language sql immutable parallel safe return 1131376246;   -- 'Conv' in ASCII
create function liveness_key(session bigint) returns integer language sql immutable parallel safe return (session % 2147483648)::integer;

-- Sessions whose node held its liveness lock and holds it no more. pg_locks is read after the snapshot was taken: a session
-- is marked only after it has its lock, so what is seen as lost was lost, or has ended in good order since.
-- A server that has just started has lost everybody's: all get `grace` to take theirs again.
create function lost_sessions(grace interval) returns setof bigint language sql volatile as $$
  with held as materialized (
    select l.objid::bigint as key from pg_locks l
     where l.locktype = 'advisory' and l.classid = liveness_class()::oid and l.objsubid = 2 and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
  )
  select s.session_id from node_sessions s
   where s.state <> 'dead' and s.has_liveness and liveness_key(s.session_id) not in (select key from held)
     and clock_timestamp() - pg_postmaster_start_time() > grace
$$;

-- Ends sessions and gives their orders back to the queue, each where it stood.
-- VOLATILE on purpose: every statement inside takes a new snapshot. The lock on the session (FOR UPDATE) waits for the
-- claims and advances under way (they hold FOR KEY SHARE) and shuts out new ones; only the next statement, with its newer
-- snapshot, sees what they committed. As one statement this loses the orders claimed in between.
-- 'expired' needs a lease that has run out, 'connection_lost' that this function itself gets the session's liveness lock;
-- 'left' is the node's own word, 'transfer' an operator's.
-- crash_count stops at 2: from then on an order is a suspect, runs alone in a process of its own, and only that counts.
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
        from orders o
        cross join lateral (
          select * from order_events h where h.order_id = o.order_id order by h.version desc limit 1) e
       where o.owner_session = doomed and o.state = 'running'
    ), released as (
      update orders o
         set state = 'queued', owner_session = null, fence = o.fence + 1, version = s.version + 1,
             step = s.step, direction = s.direction, retries = s.retries, next_run_at = clock_timestamp(),
             crash_count = o.crash_count + (reason in ('expired', 'connection_lost') and o.crash_count < 2)::int
        from stood s where o.order_id = s.order_id
      returning o.order_id, o.version, o.fence, o.step, o.direction
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

-- Writes down an intervention. `author` is {actor, reason?}.
create function record_intervention(action text, target text, author jsonb, detail jsonb default null) returns void
language sql volatile as $$
  insert into audit (actor, action, target, reason, detail)
  values (author ->> 'actor', action, target, author ->> 'reason', detail)
$$;

-- Cancels an order, whatever its state; decides on the row under its lock. `customer` null: an operator's call.
-- An order that never began ends here. One that began is undone: by its owner, which finds `requested` with its next tick
-- (or at once by the notification), or, if it waits, by the node that claims it next. One that was quarantined on its way
-- forward is released for that.
create or replace function cancel_order(id uuid, customer text, author jsonb, out outcome text, out found_state order_state, out found_direction order_direction)
language plpgsql volatile as $$
declare
  o orders;
begin
  select * into o from orders where order_id = id and (customer is null or customer_id = customer) for no key update;
  if not found then
    outcome := 'unknown';
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
    insert into order_events (order_id, version, kind, step, direction, fence, at, data)
    values (id, 2, 'cancelled', o.step, 'forward', o.fence + 1, clock_timestamp(), author);
    outcome := 'cancelled';
  else
    update orders
       set requested = 'cancel', direction = 'rollback', version = o.version + 1, retries = 0, next_run_at = clock_timestamp()
     where order_id = id;
    insert into order_events (order_id, version, kind, step, direction, fence, at, data)
    values (id, o.version + 1, 'cancel_started', o.step, 'forward', o.fence, clock_timestamp(), author);
    outcome := 'requested';
  end if;
  perform record_intervention('order.cancel', id::text, author);
end $$;

-- Places the content of a failed or cancelled order again, as a new order. An order has one retry: asked twice, the same
-- one is answered; what failed again is retried by its own id.
create function retry_order(id uuid, new_id uuid, customer text, workflow smallint, author jsonb,
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
  insert into order_events (order_id, version, kind, step, direction, fence, at, data)
  values (new_id, 1, 'accepted', 1, 'forward', 0, moment, author || jsonb_build_object('retry_of', id));
  perform record_intervention('order.retry', id::text, author, jsonb_build_object('order_id', new_id));
  retry_id := new_id;
  outcome := 'created';
end $$;

-- Gives an order that stopped for a person back to the queue, where it stood. A suspect stays one: should it kill again,
-- only its own process dies.
create function release_order(id uuid, author jsonb, out outcome text, out found_state order_state, out found_direction order_direction)
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
  insert into order_events (order_id, version, kind, step, direction, fence, at, data)
  values (id, o.version + 1, 'released', o.step, o.direction, o.fence, clock_timestamp(), author);
  perform record_intervention('order.release', id::text, author);
  outcome := 'released';
end $$;

-- Asks a node to drain, to stop, or (null) to go on; it finds the wish with its tick, at once by the notification.
-- No row back: no such node is alive.
create function steer_node(node uuid, wish text, author jsonb) returns setof bigint
language plpgsql volatile as $$
declare
  steered bigint;
begin
  for steered in
    update node_sessions s set asked = wish where s.node_id = node and s.state <> 'dead' returning s.session_id
  loop
    perform pg_notify('conveyor_work_' || steered, 'wish');
    return next steered;
  end loop;
  if found then
    perform record_intervention('node.' || coalesce(wish, 'resume'), node::text, author);
  end if;
end $$;
