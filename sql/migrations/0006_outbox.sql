-- The outbox is order_events itself. Readers go through it by `at`, up to the oldest transaction of ours that is still open: whatever
-- is not visible yet belongs to such a transaction, and is younger than its start. src/engine/outbox.ts explains.

-- A few bytes for a hundred pages instead of an entry for each event: events are written in the order of their time, almost.
create index order_events_by_time on order_events using brin (at) with (pages_per_range = 16, autosummarize = on);

-- How far each reader is.
create table outbox_cursors (
  name     text primary key,
  at       timestamptz not null,
  order_id uuid not null,
  version  integer not null,
  saved_at timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Up to `max_rows` events after a place, oldest first, none beyond `span` of time after it. `upper`: everything below it was seen if
-- fewer came back. VOLATILE on purpose: the events are read with a newer snapshot than the open transactions.
create function read_outbox(after_at timestamptz, after_id uuid, after_version integer, span interval, max_rows integer, out upper timestamptz, out events json)
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
    from (select * from order_events x
           where x.at >= after_at and x.at < upper and (x.at, x.order_id, x.version) > (after_at, after_id, after_version)
           order by x.at, x.order_id, x.version limit max_rows) e
    join orders o on o.order_id = e.order_id;
end $$;
