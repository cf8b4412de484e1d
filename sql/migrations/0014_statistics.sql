-- What happened in each stretch of ten seconds, counted once it is over: a chart must not count orders.

-- A bucket begins at this moment and is ten seconds wide, five minutes once it is past an hour. Without a row nothing happened in it.
create table order_statistics (
  bucket         timestamptz primary key,
  accepted       integer not null,
  completed      integer not null,
  failed         integer not null,
  cancelled      integer not null,
  -- How long the completed ones took since their acceptance: `latency_counts` says how many are in each of `latency_bins`.
  latency_bins   smallint[] not null,
  latency_counts integer[] not null
);

-- Whatever happened before is counted; null: nobody began yet.
create table statistics_progress (
  only_row boolean primary key default true check (only_row),
  upto     timestamptz
) with (fillfactor = 10);                         -- one row, updated all the time: its versions share the page
insert into statistics_progress default values;

-- Eight bins for each doubling of the milliseconds; what took no more than one is in the first. src/domain/histogram.ts has the same.
create function latency_bin(latency interval) returns smallint language sql immutable parallel safe
return floor(8 * ln(greatest(extract(epoch from latency)::float8 * 1000, 1)) / ln(2::float8))::smallint;

-- What happened before this moment is visible to every snapshot that is taken from now on: whatever is not visible yet belongs to a
-- transaction of ours that is open, and is younger than its start (docs/decisions/0008-the-outbox-by-time.md).
create function settled_until() returns timestamptz language plpgsql volatile as $$
declare
  settled timestamptz := clock_timestamp();                    -- before looking: what begins later is younger
  oldest timestamptz;
begin
  select min(a.xact_start) into oldest from pg_stat_activity a
   where a.datname = current_database() and a.pid <> pg_backend_pid() and a.application_name like 'conveyor %';
  return least(settled, oldest);
end $$;

-- Adds up the buckets of ten seconds between two moments to those of five minutes: charts of more than an hour need no others.
create function widen_statistics(since timestamptz, until timestamptz) returns void language sql volatile as $$
  with narrow as (
    delete from order_statistics s
     where s.bucket >= date_bin('5 minutes', since, 'epoch') and s.bucket < date_bin('5 minutes', until, 'epoch')
    returning date_bin('5 minutes', s.bucket, 'epoch') as wide, s.*
  ), latencies as (
    select n.wide, l.bin, sum(l.count) as count from narrow n, unnest(n.latency_bins, n.latency_counts) as l (bin, count) group by 1, 2
  )
  insert into order_statistics (bucket, accepted, completed, failed, cancelled, latency_bins, latency_counts)
  select n.wide, sum(n.accepted), sum(n.completed), sum(n.failed), sum(n.cancelled),
         array(select l.bin from latencies l where l.wide = n.wide order by l.bin),
         array(select l.count from latencies l where l.wide = n.wide order by l.bin)
    from narrow n group by n.wide
$$;

-- Counts what happened in up to `max_buckets` buckets that are over: once, whoever calls it and however often. `upto`: everything
-- before is counted now. `due_in`: when there will be more to do; zero: there is already.
-- Ten seconds of 10,000 orders a second took 0.5 s (two cores), 1.2 s where the BRIN indexes had no summary of any of their pages yet.
create function roll_up_statistics(max_buckets integer, out upto timestamptz, out due_in interval)
language plpgsql volatile as $$                   -- VOLATILE on purpose: it counts with a newer snapshot than the open transactions
declare
  width constant interval := '10 seconds';
  most_latencies constant float8 := 5000;         -- in each bucket; of more orders some are looked up and stand for the others
  settled timestamptz := settled_until();
  begins timestamptz;
  ends timestamptz;
begin
  perform set_config('synchronous_commit', 'off', true);       -- lost with the server, it is counted again
  select p.upto into begins from statistics_progress p for update skip locked;
  if not found then                                            -- somebody else is at it
    select p.upto, width into upto, due_in from statistics_progress p;
    return;
  end if;
  -- The first order by its id is the first by a gateway's clock, almost.
  begins := coalesce(begins, date_bin(width, greatest(settled - interval '7 days', coalesce(
    (select o.accepted_at from orders o order by o.order_id limit 1) - interval '1 minute', settled)), 'epoch'));
  ends := greatest(begins, least(date_bin(width, settled, 'epoch'), begins + max_buckets * width));

  if ends > begins then
    with ended as materialized (
      select date_bin(width, e.at, 'epoch') as bucket, e.kind, e.order_id, e.at from order_events e
       where e.at >= begins and e.at < ends and e.kind in ('completed', 'failed', 'cancelled')
    ), share as materialized (
      select ceil(greatest(count(*), 1) * extract(epoch from width) / (most_latencies * extract(epoch from ends - begins)))::integer as one_in
        from ended e where e.kind = 'completed'
    ), latencies as (
      select e.bucket, latency_bin(e.at - o.accepted_at) as bin, count(*) * (select one_in from share) as n
        from ended e join orders o on o.order_id = e.order_id
       where e.kind = 'completed' and uuid_hash(e.order_id) % (select one_in from share) = 0
       group by 1, 2
    ), counts as (
      select date_bin(width, o.accepted_at, 'epoch') as bucket, 'accepted'::event_kind as kind, count(*) as n,
             null::smallint[] as bins, null::integer[] as bin_counts
        from orders o where o.accepted_at >= begins and o.accepted_at < ends group by 1
       union all
      select e.bucket, e.kind, count(*), null, null from ended e group by 1, 2
       union all
      select l.bucket, null, null, array_agg(l.bin order by l.bin), array_agg(l.n::integer order by l.bin) from latencies l group by 1
    )
    insert into order_statistics (bucket, accepted, completed, failed, cancelled, latency_bins, latency_counts)
    select c.bucket, coalesce(sum(c.n) filter (where c.kind = 'accepted'), 0), coalesce(sum(c.n) filter (where c.kind = 'completed'), 0),
           coalesce(sum(c.n) filter (where c.kind = 'failed'), 0), coalesce(sum(c.n) filter (where c.kind = 'cancelled'), 0),
           coalesce(any_value(c.bins), '{}'), coalesce(any_value(c.bin_counts), '{}')
      from counts c group by c.bucket;
    perform widen_statistics(begins - interval '1 hour', ends - interval '1 hour');
    delete from order_statistics s where s.bucket < ends - interval '8 days';
  end if;
  update statistics_progress p set upto = ends where p.upto is distinct from ends;
  upto := ends;
  due_in := case when ends + width <= settled then interval '0' else greatest(ends + width - clock_timestamp(), '1 second') end;
end $$;
