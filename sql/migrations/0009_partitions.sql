-- Orders and their history in partitions by ranges of the order's id, which grows with time: what is not wanted any more goes by
-- dropping a table, which costs nothing and leaves nothing behind. The leader makes the partitions of the time to come and drops
-- those of the past, if a retention is set. docs/decisions/0010-partitions.md has the figures.

-- Orders that are accepted together are claimed together: all rows of a page get their next version in one statement, before any of the
-- old ones can be pruned. With less than half of a page free most of them went to another page, and to every index.
alter table orders set (fillfactor = 45);

alter table orders rename to orders_first;
alter table orders_first rename constraint orders_pkey to orders_first_pkey;
alter index orders_by_customer rename to orders_first_by_customer;
alter index orders_in_rare_states rename to orders_first_in_rare_states;
alter table order_events rename to order_events_first;
alter table order_events_first rename constraint order_events_pkey to order_events_first_pkey;
alter index order_events_by_time rename to order_events_first_by_time;

create table orders (like orders_first including defaults including constraints including generated) partition by range (order_id);
alter table orders add constraint orders_pkey primary key (order_id);
create index orders_by_customer on orders (customer_id, order_id);
create index orders_in_rare_states on orders (rare_state, order_id) where rare_state is not null;

create table order_events (like order_events_first including defaults including constraints) partition by range (order_id);
alter table order_events add constraint order_events_pkey primary key (order_id, version);
create index order_events_by_time on order_events using brin (at) with (pages_per_range = 16, autosummarize = on);

-- A partition of `orders` and one of `order_events` each, named after its begin. Not listed: the ones for all the rest, which take
-- the orders of a gateway whose clock is far ahead, and those of a time for which nobody made partitions.
create table order_partitions (
  suffix text primary key,
  begins timestamptz not null unique,
  ends   timestamptz not null unique,
  check (begins < ends)
);

-- The smallest order id of a moment.
create function first_order_id(moment timestamptz) returns uuid language sql immutable parallel safe
return (lpad(to_hex(greatest(0, floor(extract(epoch from moment) * 1000))::bigint), 12, '0') || '70008000000000000000')::uuid;

-- Everything until the end of next month's begin is in the first one.
do $$
declare
  border timestamptz := date_trunc('month', clock_timestamp() + interval '1 month', 'UTC');
begin
  execute format('alter table orders attach partition orders_first for values from (minvalue) to (%L)', first_order_id(border));
  execute format('alter table order_events attach partition order_events_first for values from (minvalue) to (%L)', first_order_id(border));
  insert into order_partitions (suffix, begins, ends) values ('first', '-infinity', border);
end $$;

create table orders_rest partition of orders default with (fillfactor = 45);
create table order_events_rest partition of order_events default;

-- Makes partitions of the given width up to two widths ahead; answers their suffixes. A stretch for which the rest holds orders
-- already stays with the rest. Waits for locks a moment only: behind a long read everybody would wait with it.
create function make_partitions(width interval, moment timestamptz default clock_timestamp()) returns setof text
language plpgsql volatile set lock_timeout = '200ms' as $$
declare
  lower_end timestamptz := (select max(p.ends) from order_partitions p);
  upper_end timestamptz;
  name text;
begin
  while lower_end < moment + 2 * width loop
    upper_end := lower_end + width;
    if upper_end > moment and not exists (
      select from orders_rest r where r.order_id >= first_order_id(lower_end) and r.order_id < first_order_id(upper_end)) then
      name := to_char(lower_end at time zone 'UTC', 'YYYYMMDD_HH24MI');
      execute format('create table orders_%s partition of orders for values from (%L) to (%L) with (fillfactor = 45)',
                     name, first_order_id(lower_end), first_order_id(upper_end));
      execute format('create table order_events_%s partition of order_events for values from (%L) to (%L)',
                     name, first_order_id(lower_end), first_order_id(upper_end));
      insert into order_partitions (suffix, begins, ends) values (name, lower_end, upper_end);
      return next name;
    end if;
    lower_end := upper_end;
  end loop;
end $$;

-- Drops the oldest partition if all of its orders ended before `moment - keep` and every reader of the outbox is past them; one that
-- saved nothing for a week is taken for gone.
-- `dropped`: its suffix. `kept_because`: why one that is old enough was not dropped. Neither: none is old enough.
create function drop_expired_partition(keep interval, moment timestamptz default clock_timestamp(),
                                       out dropped text, out kept_because text)
language plpgsql volatile set lock_timeout = '200ms' as $$
declare
  oldest order_partitions;
  past uuid;
  is_young boolean;
begin
  select * into oldest from order_partitions p where p.ends <= moment - keep order by p.ends limit 1 for update;
  if not found then
    return;
  end if;
  past := first_order_id(oldest.ends);
  if exists (select from order_work w where w.order_id < past)
     or exists (select from orders o where o.rare_state in ('held', 'needs_attention') and o.order_id < past) then
    kept_because := 'open orders';
    return;
  end if;
  execute format('select exists (select from order_events_%s where at >= $1)', oldest.suffix) into is_young using moment - keep;
  if is_young then
    kept_because := 'orders that ended later';
  elsif exists (select from outbox_cursors c where c.at < moment - keep and c.saved_at > moment - interval '7 days') then
    kept_because := 'events that were not announced yet';
  else
    execute format('drop table orders_%s, order_events_%s', oldest.suffix, oldest.suffix);
    delete from order_partitions p where p.suffix = oldest.suffix;
    dropped := oldest.suffix;
  end if;
end $$;

-- Deletes up to `most` rows of what belonged to orders that were dropped, or that the rest holds and nobody wants any more; answers
-- how many it deleted.
create function delete_expired(keep interval, most integer, moment timestamptz default clock_timestamp()) returns integer
language plpgsql volatile as $$
declare
  gone uuid := coalesce((select first_order_id(min(p.begins)) from order_partitions p where p.begins > '-infinity'
                          having not exists (select from order_partitions f where f.begins = '-infinity')), first_order_id('epoch'));
  deleted integer;
  total integer := 0;
begin
  with expired as materialized (
    select r.order_id from orders_rest r
     where r.ended_at < moment - keep
     limit most for update skip locked
  ), events as (
    delete from order_events_rest e using expired x where e.order_id = x.order_id
  )
  delete from orders_rest r using expired x where r.order_id = x.order_id;
  get diagnostics deleted = row_count;
  total := total + deleted;

  delete from order_keys k where k.ctid = any (array(
    select c.ctid from order_keys c where c.order_id < gone and c.home is null limit most));
  get diagnostics deleted = row_count;
  total := total + deleted;

  delete from webhook_deliveries d where d.delivery_id in (
    select c.delivery_id from webhook_deliveries c where c.order_id < gone and c.state <> 'waiting' limit most);
  get diagnostics deleted = row_count;
  return total + deleted;
end $$;

create index order_keys_by_order on order_keys (order_id);
create index webhook_deliveries_by_order on webhook_deliveries (order_id);
