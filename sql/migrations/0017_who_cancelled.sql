-- Who cancelled an order that runs, and why: the event with which its node begins to undo it tells of that.
alter table orders add column requested_by jsonb;

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
    update orders set requested = 'cancel', requested_by = author where order_id = id;
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
