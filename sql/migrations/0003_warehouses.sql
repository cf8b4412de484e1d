-- Several warehouses: why an order is where it is, keys that lead elsewhere, the gate after an outage, and what belongs to the
-- whole cluster. docs/decisions/0007-keys-across-warehouses.md has the reasoning.

-- The other warehouses of the cluster, as its gateways know them. Without any there is nothing to compare keys with.
alter table warehouse add column peers text[] not null default '{}';

alter table orders
  add column routed_because jsonb,                           -- null: where it came in is its region's own warehouse
  add column keyed          boolean not null default false;  -- its customer may send it again: the gate holds it after an outage

-- A key may lead to an order of another warehouse: the order's id tells which. While `home` is set, that warehouse (the one
-- where the key is looked up first) does not know the key yet.
alter table order_keys add column home text;
create index order_keys_unsettled on order_keys (home, customer_id, kind, key) where home is not null;

-- The gate, kept by the leader together with its lease. Nobody has to close it: it is shut as soon as its epoch is not that of
-- the running server, or the leader could not extend it in time. Shut, orders with keys that were accepted before wait.
alter table leader_lease
  add column gate_epoch     timestamptz,                     -- start of the server in which a leader attends the gate
  add column gate_until     timestamptz not null default '-infinity',
  add column gate_closed_at timestamptz,                     -- null while attended: open
  add column gate_opened_at timestamptz,
  add column gate_round     integer not null default 0,      -- one more with each closing
  add column gate_compared  text[] not null default '{}';    -- warehouses whose keys were compared in this round

-- Flags of warehouses, the same in every one: the higher version wins.
create table warehouse_flags (
  name       text primary key,
  disabled   boolean not null,
  version    bigint not null,
  changed_at timestamptz not null,
  changed_by text not null,
  reason     text
);

-- What the keys of several warehouses leave open: a person decides what follows.
create table key_conflicts (
  conflict_id    uuid primary key default uuidv7(),
  found_at       timestamptz not null default clock_timestamp(),
  kind           text not null check (kind in ('both_processed', 'other_body', 'not_compared')),
  customer_id    text not null,
  key_kind       text,
  key            text,
  order_id       uuid not null,                              -- of this warehouse
  other_order_id uuid,                                       -- of another; null: not known
  missing        text[] not null default '{}',               -- warehouses that could not be asked
  resolved_at    timestamptz,
  resolved_by    text,
  resolution     text,
  unique nulls not distinct (kind, order_id, other_order_id)
);
create index key_conflicts_open on key_conflicts (conflict_id) where resolved_at is null;

-- Whether a leader attends the gate of the server that runs now.
create function gate_is_attended(l leader_lease) returns boolean language sql volatile
return l.gate_epoch is not distinct from pg_postmaster_start_time() and l.gate_until > clock_timestamp();

-- The leader's chore while the gate is not open: attends it, opens it when every other warehouse was compared, and, after
-- `time_limit`, marks what could not be compared and opens it.
create function turn_gate(session bigint, lead_term bigint, keep interval, time_limit interval, out state text, out marked integer)
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
      from (select q.* from orders q where q.state = 'queued' union all select r.* from orders r where r.state = 'running') o
     where o.keyed and o.accepted_at <= l.gate_closed_at
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

-- Another warehouse's keys were compared with this one's, in this round of the gate; the last one opens it.
create function note_compared(peer text, round integer) returns boolean language plpgsql volatile as $$
declare
  l leader_lease;
begin
  update leader_lease
     set gate_compared = case when peer = any (gate_compared) then gate_compared else gate_compared || peer end
   where name = 'warehouse' and gate_round = round
  returning * into l;
  if not found then
    return false;
  end if;
  if gate_is_attended(l) and l.gate_closed_at is not null and l.gate_compared @> (select peers from warehouse) then
    update leader_lease set gate_closed_at = null, gate_opened_at = clock_timestamp() where name = 'warehouse';
  end if;
  -- What was marked because this warehouse could not be asked is settled by now, or a conflict of its own.
  update key_conflicts
     set missing = array_remove(missing, peer),
         resolved_at = case when missing = array[peer] then clock_timestamp() end,
         resolved_by = case when missing = array[peer] then 'conveyor' end,
         resolution = case when missing = array[peer] then 'compared later' end
   where kind = 'not_compared' and resolved_at is null and peer = any (missing);
  return gate_is_attended(l) and l.gate_compared @> (select peers from warehouse);
end $$;
