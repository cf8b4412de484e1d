-- The state machine of an order, its history, and the sessions that may write them.
-- src/engine/lease.ts explains the protocol; src/domain/order-state.ts holds the same states and transitions.

-- Which warehouse this database is. Its number is part of every order id.
create table warehouse (
  only_row boolean primary key default true check (only_row),
  name     text not null,
  number   integer not null check (number between 0 and 16383)
);

create table workflows (
  workflow_id smallint generated always as identity primary key,
  name        text not null,
  version     smallint not null check (version > 0),
  step_names  text[] not null,
  unique (name, version)
);

create type order_state as enum ('queued', 'running', 'completed', 'failed', 'cancelled', 'held', 'needs_attention');
create type order_direction as enum ('forward', 'rollback');
create type event_kind as enum (
  'accepted', 'claimed', 'step_completed', 'step_failed', 'cancel_started', 'step_undone', 'retry_scheduled',
  'handed_back', 'handed_over', 'completed', 'failed', 'cancelled', 'attention_needed');

-- One row per life of a node; its number is the fencing token. Never revived.
create table node_sessions (
  session_id   bigint generated always as identity primary key,
  state        text not null default 'live' check (state in ('live', 'draining', 'dead')),
  hb_seq       bigint not null default 0,
  lease_until  timestamptz not null,
  slots        integer not null check (slots > 0),
  busy         integer not null default 0,
  node_id      uuid not null,
  node_name    text not null,
  version      text not null,
  host         text not null,
  pid          integer not null,
  workflow_ids smallint[] not null,
  started_at   timestamptz not null default clock_timestamp(),
  ended_at     timestamptz,
  ended_reason text,
  check ((state = 'dead') = (ended_at is not null))
) with (fillfactor = 50);                       -- room for heartbeats to stay on their page (HOT)
create index node_sessions_alive on node_sessions (session_id) where state <> 'dead';

-- While an order is running its row is not touched: order_events tells where it stands. The row says who owns it and
-- where it stood when it was last claimed or handed over.
create table orders (
  order_id      uuid primary key,
  accepted_at   timestamptz not null,
  next_run_at   timestamptz not null,
  ended_at      timestamptz,
  owner_session bigint,
  fence         integer not null default 0,
  version       integer not null default 1,
  state         order_state not null default 'queued',
  direction     order_direction not null default 'forward',
  workflow_id   smallint not null,
  step          smallint not null default 1,
  retries       smallint not null default 0,
  crash_count   smallint not null default 0,
  requested     text check (requested = 'cancel'),
  customer_id   text not null,
  content       jsonb not null,
  constraint orders_owned_exactly_when_running check ((state = 'running') = (owner_session is not null)),
  constraint orders_ended_at_check check ((state in ('completed', 'failed', 'cancelled')) = (ended_at is not null))
) with (fillfactor = 70);                       -- an order is written three times: let its versions share a page
create index orders_queued on orders (next_run_at, order_id) where state = 'queued';
create index orders_owned on orders (owner_session) where state = 'running';
create index orders_stopped on orders (order_id) where state in ('needs_attention', 'held');
create index orders_by_customer on orders (customer_id, order_id);

-- The history: append-only, gapless per order, written in the same statement as the change it tells.
create table order_events (
  order_id   uuid not null,
  at         timestamptz not null,
  session_id bigint,
  version    integer not null,
  fence      integer not null,
  kind       event_kind not null,
  direction  order_direction not null,
  step       smallint not null,
  data       jsonb,
  primary key (order_id, version)
);

-- Idempotency keys, tracking ids and clients' own ids: each names one order of its customer.
create table order_keys (
  customer_id text not null,
  kind        text not null check (kind in ('header', 'tracking', 'client')),
  key         text not null,
  order_id    uuid not null,
  body_hash   bytea not null,
  primary key (customer_id, kind, key)
);

create table tokens (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  token_id   uuid not null unique,
  name       text not null,
  role       text not null check (role in ('customer', 'operator')),
  created_at timestamptz not null default clock_timestamp(),
  revoked_at timestamptz
);

-- Where an order stands after an event: the SQL side of TRANSITIONS in src/domain/order-state.ts, for hand-overs.
create function step_after(kind event_kind, step smallint) returns smallint language sql immutable parallel safe
return case kind when 'step_completed' then step + 1 when 'step_undone' then step - 1 else step end;

create function direction_after(kind event_kind, direction order_direction) returns order_direction
language sql immutable parallel safe
return case when kind in ('step_failed', 'cancel_started') then 'rollback'::order_direction else direction end;

-- Ends sessions and gives their orders back to the queue, each where it stood.
-- VOLATILE on purpose: every statement inside takes a new snapshot. The lock on the session (FOR UPDATE) waits for the
-- claims and advances under way (they hold FOR KEY SHARE) and shuts out new ones; only the next statement, with its newer
-- snapshot, sees what they committed. As one statement this loses the orders claimed in between.
create function end_sessions(ids bigint[], reason text) returns table (session_id bigint, handed_over integer)
language plpgsql volatile as $$
declare
  doomed bigint;
begin
  for doomed in
    select s.session_id from node_sessions s
     where s.session_id = any (ids) and s.state <> 'dead'
       and (reason <> 'expired' or s.lease_until < clock_timestamp())
     order by s.session_id
       for update skip locked                   -- one stuck session must not hold up the others
  loop
    update node_sessions s set state = 'dead', busy = 0, ended_at = clock_timestamp(), ended_reason = reason
     where s.session_id = doomed;

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
             crash_count = o.crash_count + (reason = 'expired')::int
        from stood s where o.order_id = s.order_id
      returning o.order_id, o.version, o.fence, o.step, o.direction
    )
    insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
    select r.order_id, r.version, case reason when 'left' then 'handed_back' else 'handed_over' end::event_kind,
           r.step, r.direction, doomed, r.fence, clock_timestamp()
      from released r;

    get diagnostics handed_over = row_count;
    session_id := doomed;
    return next;
  end loop;
end $$;

-- Cancels an order, whatever its state; decides on the row under its lock. `customer` null: an operator's call.
-- An order that never began ends here. One that began is undone: by its owner, which finds `requested` with its next tick
-- (or at once by the notification), or, if it waits, by the node that claims it next.
create function cancel_order(id uuid, customer text, author jsonb, out outcome text, out found_state order_state, out found_direction order_direction)
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
  elsif o.state not in ('queued', 'running') or found_direction = 'rollback' then
    outcome := 'refused';
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
end $$;
