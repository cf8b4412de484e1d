-- What expires is looked at partition by partition: an order that is still open keeps its own stretch of time, and no other.

-- Its rows are gone; keys and webhook deliveries of its orders may be left. `delete_expired` removes them, then this row.
alter table order_partitions add column dropped_at timestamptz;

-- Databases that dropped their oldest partitions before this migration.
insert into order_partitions (suffix, begins, ends, dropped_at)
select 'before', '-infinity', min(p.begins), clock_timestamp() from order_partitions p having min(p.begins) > '-infinity';

-- Whether a reader of the outbox may still want events from before that moment; one that saved nothing for a week is taken for gone.
create function awaits_announcement(before timestamptz, moment timestamptz) returns boolean language sql stable
return exists (select from outbox_cursors c where c.at < before and c.saved_at > moment - interval '7 days');

-- Drops the oldest partition all of whose orders ended before `moment - keep` and were announced.
-- `dropped`: its suffix. `kept_because`: why the first one that is old enough was not dropped. Neither: none is old enough.
create or replace function drop_expired_partition(keep interval, moment timestamptz default clock_timestamp(),
                                                  out dropped text, out kept_because text)
language plpgsql volatile set lock_timeout = '200ms' as $$
declare
  expired order_partitions;
  reason text;
  first_id uuid;
  next_id uuid;
  is_young boolean;
begin
  for expired in
    select * from order_partitions p where p.ends <= moment - keep and p.dropped_at is null order by p.ends for update
  loop
    first_id := first_order_id(expired.begins);
    next_id := first_order_id(expired.ends);
    reason := null;
    execute format('select exists (select from order_events_%s where at >= $1)', expired.suffix) into is_young using moment - keep;
    if exists (select from order_work w where w.order_id >= first_id and w.order_id < next_id)
       or exists (select from orders o where o.rare_state in ('held', 'needs_attention')
                                         and o.order_id >= first_id and o.order_id < next_id) then
      reason := 'open orders';
    elsif is_young then
      reason := 'orders that ended later';
    elsif awaits_announcement(moment - keep, moment) then
      reason := 'events that were not announced yet';
    end if;
    if reason is null then
      execute format('drop table orders_%s, order_events_%s', expired.suffix, expired.suffix);
      update order_partitions p set dropped_at = moment where p.suffix = expired.suffix;
      dropped := expired.suffix;
      return;
    end if;
    kept_because := coalesce(kept_because, reason);
  end loop;
end $$;

-- Deletes up to `most` rows of each kind: orders of the rest that nobody wants any more, keys and webhook deliveries of dropped orders.
-- Answers how many it deleted. A delivery that waits is kept until it was made, and with it the order in the rest.
create or replace function delete_expired(keep interval, most integer, moment timestamptz default clock_timestamp()) returns integer
language plpgsql volatile as $$
declare
  deleted integer;
  total integer := 0;
begin
  if not awaits_announcement(moment - keep, moment) then
    with expired as materialized (
      select r.order_id from orders_rest r
       where r.ended_at < moment - keep
         and not exists (select from webhook_deliveries d where d.order_id = r.order_id and d.state = 'waiting')
       limit most for update skip locked
    ), events as (
      delete from order_events_rest e using expired x where e.order_id = x.order_id
    ), keys as (
      delete from order_keys k using expired x where k.order_id = x.order_id and k.home is null
    ), deliveries as (
      delete from webhook_deliveries d using expired x where d.order_id = x.order_id
    )
    delete from orders_rest r using expired x where r.order_id = x.order_id;
    get diagnostics deleted = row_count;
    total := total + deleted;
  end if;

  delete from order_keys k where k.ctid = any (array(
    select c.ctid from order_partitions p
      join order_keys c on c.order_id >= first_order_id(p.begins) and c.order_id < first_order_id(p.ends)
     where p.dropped_at is not null and c.home is null limit most));
  get diagnostics deleted = row_count;
  total := total + deleted;

  delete from webhook_deliveries d where d.delivery_id in (
    select c.delivery_id from order_partitions p
      join webhook_deliveries c on c.order_id >= first_order_id(p.begins) and c.order_id < first_order_id(p.ends)
     where p.dropped_at is not null and c.state <> 'waiting' limit most);
  get diagnostics deleted = row_count;

  -- The newest stays in any case: from its end on partitions are made.
  delete from order_partitions p
   where p.dropped_at is not null and exists (select from order_partitions n where n.ends > p.ends)
     and not exists (select from order_keys k where k.order_id >= first_order_id(p.begins) and k.order_id < first_order_id(p.ends)
                                                and k.home is null)
     and not exists (select from webhook_deliveries d
                      where d.order_id >= first_order_id(p.begins) and d.order_id < first_order_id(p.ends));
  return total + deleted;
end $$;
