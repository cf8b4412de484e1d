-- Orders are also looked for by what their customer calls them, and by what they are about.
create index orders_by_tracking_id on orders ((content ->> 'tracking_id'), order_id) where content ->> 'tracking_id' is not null;
create index orders_by_symbol on orders ((content ->> 'symbol'), order_id) where content ->> 'symbol' is not null;

-- Cancelling or retrying all orders that match. Each warehouse it concerns has a row of its own, with its part of the work: the gateway
-- that has the warehouse's lease does it, from the newest order to the oldest, and writes down how far it is.
create table bulk_operations (
  bulk_id    uuid primary key,                       -- the same in all of them
  action     text not null check (action in ('cancel', 'retry')),
  filter     jsonb not null,                         -- as it was asked
  warehouses text[] not null,                        -- which it concerns
  pace       integer not null check (pace > 0),      -- orders per second in all of them together
  share      double precision not null check (share > 0 and share <= 1),  -- of the pace, that of this one
  actor      text not null,
  reason     text,
  started_at timestamptz not null default clock_timestamp(),  -- orders that are accepted later are left alone
  matching   integer not null,                       -- counted before it began
  is_more    boolean not null,                       -- counting ended there
  state      text not null default 'running' check (state in ('running', 'stopped', 'done')),
  ended_at   timestamptz,
  stopped_by text,                                   -- whoever wanted no more of it, be this part at its end or not
  before_id  uuid,                                   -- everything that matches from this order on was seen to
  batch      uuid[] not null default '{}',           -- orders that may have been seen to since that was written, newest first
  succeeded  integer not null default 0,
  refused    integer not null default 0,             -- orders that had moved on to where the action is not possible
  failed     integer not null default 0,
  check ((state = 'running') = (ended_at is null))
) with (fillfactor = 50);
create index bulk_operations_running on bulk_operations (bulk_id) where state = 'running';
