-- The schema after all migrations. Written by `npm run schema`; do not edit.


create type event_kind as enum ('accepted', 'claimed', 'step_completed', 'step_failed', 'cancel_started', 'step_undone', 'retry_scheduled', 'handed_back', 'handed_over', 'completed', 'failed', 'cancelled', 'attention_needed', 'released');

create type order_direction as enum ('forward', 'rollback');

create type order_state as enum ('queued', 'running', 'completed', 'failed', 'cancelled', 'held', 'needs_attention');

create table audit (
  audit_id uuid not null default uuidv7(),
  at timestamp with time zone not null default clock_timestamp(),
  actor text not null,
  action text not null,
  target text not null,
  reason text,
  detail jsonb,
  constraint audit_pkey PRIMARY KEY (audit_id)
);

create table bulk_operations (
  bulk_id uuid not null,
  action text not null,
  filter jsonb not null,
  warehouses text[] not null,
  pace integer not null,
  share double precision not null,
  actor text not null,
  reason text,
  started_at timestamp with time zone not null default clock_timestamp(),
  matching integer not null,
  is_more boolean not null,
  state text not null default 'running'::text,
  ended_at timestamp with time zone,
  stopped_by text,
  before_id uuid,
  batch uuid[] not null default '{}'::uuid[],
  succeeded integer not null default 0,
  refused integer not null default 0,
  failed integer not null default 0,
  constraint bulk_operations_action_check CHECK ((action = ANY (ARRAY['cancel'::text, 'retry'::text]))),
  constraint bulk_operations_check CHECK (((state = 'running'::text) = (ended_at IS NULL))),
  constraint bulk_operations_pace_check CHECK ((pace > 0)),
  constraint bulk_operations_pkey PRIMARY KEY (bulk_id),
  constraint bulk_operations_share_check CHECK (((share > (0)::double precision) AND (share <= (1)::double precision))),
  constraint bulk_operations_state_check CHECK ((state = ANY (ARRAY['running'::text, 'stopped'::text, 'done'::text])))
) with (fillfactor=50);

create table cluster_leases (
  name text not null,
  holder text not null,
  lease_until timestamp with time zone not null,
  detail jsonb,
  constraint cluster_leases_pkey PRIMARY KEY (name)
) with (fillfactor=50);

create table cluster_settings (
  name text not null,
  value jsonb not null,
  version bigint not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  constraint cluster_settings_pkey PRIMARY KEY (name)
);

create table journal_begins (
  session_id integer not null,
  batch bigint not null,
  constraint journal_begins_pkey PRIMARY KEY (session_id)
) with (fillfactor=50);

create table key_conflicts (
  conflict_id uuid not null default uuidv7(),
  found_at timestamp with time zone not null default clock_timestamp(),
  kind text not null,
  customer_id text not null,
  key_kind text,
  key text,
  order_id uuid not null,
  other_order_id uuid,
  missing text[] not null default '{}'::text[],
  resolved_at timestamp with time zone,
  resolved_by text,
  resolution text,
  constraint key_conflicts_kind_check CHECK ((kind = ANY (ARRAY['both_processed'::text, 'other_body'::text, 'not_compared'::text]))),
  constraint key_conflicts_kind_order_id_other_order_id_key UNIQUE NULLS NOT DISTINCT (kind, order_id, other_order_id),
  constraint key_conflicts_pkey PRIMARY KEY (conflict_id)
);

create table leader_lease (
  name text not null,
  holder bigint,
  term bigint not null default 0,
  tick_no bigint not null default 0,
  worked_at timestamp with time zone not null default '-infinity'::timestamp with time zone,
  lease_until timestamp with time zone not null default '-infinity'::timestamp with time zone,
  gate_epoch timestamp with time zone,
  gate_until timestamp with time zone not null default '-infinity'::timestamp with time zone,
  gate_closed_at timestamp with time zone,
  gate_opened_at timestamp with time zone,
  gate_round integer not null default 0,
  gate_compared text[] not null default '{}'::text[],
  constraint leader_lease_pkey PRIMARY KEY (name)
) with (fillfactor=10);

create table migration_checksums (
  name text not null,
  checksum text not null,
  constraint migration_checksums_pkey PRIMARY KEY (name)
);

create table node_sessions (
  session_id bigint generated always as identity not null,
  state text not null default 'live'::text,
  hb_seq bigint not null default 0,
  lease_until timestamp with time zone not null,
  slots integer not null,
  busy integer not null default 0,
  node_id uuid not null,
  node_name text not null,
  version text not null,
  host text not null,
  pid integer not null,
  workflow_ids smallint[] not null,
  started_at timestamp with time zone not null default clock_timestamp(),
  ended_at timestamp with time zone,
  ended_reason text,
  address text,
  last_beat_at timestamp with time zone not null default clock_timestamp(),
  has_liveness boolean not null default false,
  asked text,
  fenced_writes bigint not null default 0,
  takeovers bigint not null default 0,
  handed_over bigint not null default 0,
  constraint node_sessions_asked_check CHECK ((asked = ANY (ARRAY['drain'::text, 'stop'::text]))),
  constraint node_sessions_check CHECK (((state = 'dead'::text) = (ended_at IS NOT NULL))),
  constraint node_sessions_pkey PRIMARY KEY (session_id),
  constraint node_sessions_slots_check CHECK ((slots > 0)),
  constraint node_sessions_state_check CHECK ((state = ANY (ARRAY['live'::text, 'draining'::text, 'dead'::text])))
) with (fillfactor=50);

create table order_events (
  order_id uuid not null,
  at timestamp with time zone not null,
  session_id integer,
  version integer not null,
  fence integer not null,
  kind event_kind not null,
  direction order_direction not null,
  step smallint not null,
  data jsonb,
  claimed_at timestamp with time zone,
  steps_at timestamp with time zone[],
  results jsonb,
  constraint order_events_pkey PRIMARY KEY (order_id, version)
) partition by RANGE (order_id);

create table order_journal (
  session_id integer not null,
  batch bigint generated always as identity not null,
  at timestamp with time zone not null default clock_timestamp(),
  order_ids uuid[] not null,
  versions integer[] not null,
  results jsonb,
  constraint order_journal_check CHECK ((cardinality(order_ids) = cardinality(versions))),
  constraint order_journal_pkey PRIMARY KEY (session_id, batch)
) with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=1000, autovacuum_vacuum_cost_delay=0);

create table order_keys (
  customer_id text not null,
  kind text not null,
  key text not null,
  order_id uuid not null,
  body_hash bytea not null,
  home text,
  constraint order_keys_kind_check CHECK ((kind = ANY (ARRAY['header'::text, 'tracking'::text, 'client'::text, 'retry'::text]))),
  constraint order_keys_pkey PRIMARY KEY (customer_id, kind, key)
);

create table order_partitions (
  suffix text not null,
  begins timestamp with time zone not null,
  ends timestamp with time zone not null,
  dropped_at timestamp with time zone,
  constraint order_partitions_begins_key UNIQUE (begins),
  constraint order_partitions_check CHECK ((begins < ends)),
  constraint order_partitions_ends_key UNIQUE (ends),
  constraint order_partitions_pkey PRIMARY KEY (suffix)
);

create table order_statistics (
  bucket timestamp with time zone not null,
  accepted integer not null,
  completed integer not null,
  failed integer not null,
  cancelled integer not null,
  latency_bins smallint[] not null,
  latency_counts integer[] not null,
  constraint order_statistics_pkey PRIMARY KEY (bucket)
);

create table order_totals (
  session_id bigint not null,
  completed bigint not null,
  priced bigint not null,
  price_sum numeric not null,
  constraint order_totals_pkey PRIMARY KEY (session_id)
) with (fillfactor=50);

create table order_work (
  order_id uuid not null,
  next_run_at timestamp with time zone not null,
  owner_session bigint,
  keyed_at timestamp with time zone,
  workflow_id smallint not null
) with (fillfactor=70, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_threshold=2000, autovacuum_vacuum_cost_delay=0);

create table orders (
  order_id uuid not null,
  accepted_at timestamp with time zone not null,
  next_run_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  owner_session bigint,
  fence integer not null default 0,
  version integer not null default 1,
  state order_state not null default 'queued'::order_state,
  direction order_direction not null default 'forward'::order_direction,
  workflow_id smallint not null,
  step smallint not null default 1,
  retries smallint not null default 0,
  crash_count smallint not null default 0,
  requested text,
  customer_id text not null,
  content jsonb not null,
  retry_of uuid,
  routed_because jsonb,
  keyed boolean not null default false,
  rare_state order_state generated always as 
CASE
    WHEN (state = ANY (ARRAY['failed'::order_state, 'cancelled'::order_state, 'held'::order_state, 'needs_attention'::order_state])) THEN state
    ELSE NULL::order_state
END stored,
  requested_by jsonb,
  constraint orders_ended_at_check CHECK (((state = ANY (ARRAY['completed'::order_state, 'failed'::order_state, 'cancelled'::order_state])) = (ended_at IS NOT NULL))),
  constraint orders_owned_exactly_when_running CHECK (((state = 'running'::order_state) = (owner_session IS NOT NULL))),
  constraint orders_pkey PRIMARY KEY (order_id),
  constraint orders_requested_check CHECK ((requested = 'cancel'::text))
) partition by RANGE (order_id);

create table outbox_cursors (
  name text not null,
  at timestamp with time zone not null,
  order_id uuid not null,
  version integer not null,
  saved_at timestamp with time zone not null default clock_timestamp(),
  constraint outbox_cursors_pkey PRIMARY KEY (name)
) with (fillfactor=50);

create table sealed_ranges (
  index_name text not null,
  filenode oid not null,
  blocks bigint not null,
  constraint sealed_ranges_pkey PRIMARY KEY (index_name)
);

create table statistics_progress (
  only_row boolean not null default true,
  upto timestamp with time zone,
  constraint statistics_progress_only_row_check CHECK (only_row),
  constraint statistics_progress_pkey PRIMARY KEY (only_row)
) with (fillfactor=10);

create table tokens (
  token_hash bytea not null,
  token_id uuid not null,
  name text not null,
  role text not null,
  created_at timestamp with time zone not null default clock_timestamp(),
  revoked_at timestamp with time zone,
  constraint tokens_pkey PRIMARY KEY (token_hash),
  constraint tokens_role_check CHECK ((role = ANY (ARRAY['customer'::text, 'operator'::text, 'join'::text]))),
  constraint tokens_token_hash_check CHECK ((octet_length(token_hash) = 32)),
  constraint tokens_token_id_key UNIQUE (token_id)
);

create table warehouse (
  only_row boolean not null default true,
  name text not null,
  number integer not null,
  peers text[] not null default '{}'::text[],
  constraint warehouse_number_check CHECK (((number >= 0) AND (number <= 16383))),
  constraint warehouse_only_row_check CHECK (only_row),
  constraint warehouse_pkey PRIMARY KEY (only_row)
);

create table warehouse_flags (
  name text not null,
  disabled boolean not null,
  version bigint not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  reason text,
  constraint warehouse_flags_pkey PRIMARY KEY (name)
);

create table webhook_deliveries (
  delivery_id uuid not null default uuidv7(),
  webhook_id uuid not null,
  order_id uuid not null,
  version integer not null,
  state text not null default 'waiting'::text,
  attempts integer not null default 0,
  created_at timestamp with time zone not null default clock_timestamp(),
  since timestamp with time zone not null default clock_timestamp(),
  next_at timestamp with time zone not null default clock_timestamp(),
  last_at timestamp with time zone,
  last_status integer,
  last_error text,
  body jsonb not null,
  constraint webhook_deliveries_pkey PRIMARY KEY (delivery_id),
  constraint webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'delivered'::text, 'given_up'::text]))),
  constraint webhook_deliveries_webhook_id_order_id_version_key UNIQUE (webhook_id, order_id, version)
);

create table webhooks (
  webhook_id uuid not null,
  customer_id text not null,
  url text not null,
  kinds text[] not null,
  secret text not null,
  enabled boolean not null,
  disabled_because text,
  deleted boolean not null default false,
  created_at timestamp with time zone not null,
  version bigint not null,
  changed_at timestamp with time zone not null,
  constraint webhooks_pkey PRIMARY KEY (webhook_id)
);

create table workflows (
  workflow_id smallint generated always as identity not null,
  name text not null,
  version smallint not null,
  step_names text[] not null,
  constraint workflows_name_version_key UNIQUE (name, version),
  constraint workflows_pkey PRIMARY KEY (workflow_id),
  constraint workflows_version_check CHECK ((version > 0))
);

CREATE INDEX bulk_operations_running ON public.bulk_operations USING btree (bulk_id) WHERE (state = 'running'::text);

CREATE INDEX key_conflicts_open ON public.key_conflicts USING btree (conflict_id) WHERE (resolved_at IS NULL);

CREATE INDEX node_sessions_alive ON public.node_sessions USING btree (session_id) WHERE (state <> 'dead'::text);

CREATE INDEX node_sessions_by_node ON public.node_sessions USING btree (node_id, session_id);

CREATE INDEX order_events_by_time ON ONLY public.order_events USING brin (at) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX order_events_by_told ON ONLY public.order_events USING brin (COALESCE(claimed_at, steps_at[1])) WITH (pages_per_range='16', autosummarize='on') WHERE ((claimed_at IS NOT NULL) OR (steps_at IS NOT NULL));

CREATE INDEX order_journal_by_time ON public.order_journal USING btree (at);

CREATE INDEX order_keys_by_order ON public.order_keys USING btree (order_id);

CREATE INDEX order_keys_unsettled ON public.order_keys USING btree (home, customer_id, kind, key) WHERE (home IS NOT NULL);

CREATE INDEX order_work_owned ON public.order_work USING btree (owner_session, order_id) WHERE (owner_session IS NOT NULL);

CREATE INDEX order_work_queued ON public.order_work USING btree (next_run_at, order_id) WHERE (owner_session IS NULL);

CREATE INDEX orders_by_acceptance ON ONLY public.orders USING brin (accepted_at) WITH (pages_per_range='16', autosummarize='on');

CREATE INDEX orders_by_customer ON ONLY public.orders USING btree (customer_id, order_id);

CREATE INDEX orders_by_customer_name ON ONLY public.orders USING btree (((content ->> 'customer_name'::text)), order_id) WHERE ((content ->> 'customer_name'::text) IS NOT NULL);

CREATE INDEX orders_by_region ON ONLY public.orders USING btree (((content ->> 'region'::text)), order_id) WHERE ((content ->> 'region'::text) IS NOT NULL);

CREATE INDEX orders_by_symbol ON ONLY public.orders USING btree (((content ->> 'symbol'::text)), order_id) WHERE ((content ->> 'symbol'::text) IS NOT NULL);

CREATE INDEX orders_by_tracking_id ON ONLY public.orders USING btree (((content ->> 'tracking_id'::text)), order_id) WHERE ((content ->> 'tracking_id'::text) IS NOT NULL);

CREATE INDEX orders_in_rare_states ON ONLY public.orders USING btree (rare_state, order_id) WHERE (rare_state IS NOT NULL);

CREATE INDEX webhook_deliveries_by_order ON public.webhook_deliveries USING btree (order_id);

CREATE INDEX webhook_deliveries_given_up ON public.webhook_deliveries USING btree (webhook_id) WHERE (state = 'given_up'::text);

CREATE INDEX webhook_deliveries_listed ON public.webhook_deliveries USING btree (webhook_id, delivery_id);

CREATE INDEX webhook_deliveries_waiting ON public.webhook_deliveries USING btree (webhook_id, next_at) WHERE (state = 'waiting'::text);

CREATE OR REPLACE FUNCTION public.awaits_announcement(before timestamp with time zone, moment timestamp with time zone)
 RETURNS boolean
 LANGUAGE sql
 STABLE
RETURN (EXISTS (SELECT FROM outbox_cursors c WHERE ((c.at < awaits_announcement.before) AND (c.saved_at > (awaits_announcement.moment - '7 days'::interval)))));

CREATE OR REPLACE FUNCTION public.cancel_order(id uuid, customer text, author jsonb, OUT outcome text, OUT found_state order_state, OUT found_direction order_direction)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.delete_expired(keep interval, most integer, moment timestamp with time zone DEFAULT clock_timestamp())
 RETURNS integer
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.direction_after(kind event_kind, direction order_direction)
 RETURNS order_direction
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (kind = ANY (ARRAY['step_failed'::event_kind, 'cancel_started'::event_kind])) THEN 'rollback'::order_direction ELSE direction END;

CREATE OR REPLACE FUNCTION public.drop_expired_partition(keep interval, moment timestamp with time zone DEFAULT clock_timestamp(), OUT dropped text, OUT kept_because text)
 RETURNS record
 LANGUAGE plpgsql
 SET lock_timeout TO '200ms'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.end_sessions(ids bigint[], reason text)
 RETURNS TABLE(session_id bigint, handed_over integer)
 LANGUAGE plpgsql
 SET enable_hashjoin TO 'on'
AS $function$
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

    with owned as materialized (
      select o.order_id, o.fence, o.version, o.step, o.direction, o.retries, o.next_run_at as claimed_at,
             e.version as last_version, e.kind as last_kind, e.step as last_step, e.direction as last_direction
        from order_work w
        join orders o on o.order_id = w.order_id
        left join lateral (
          select * from order_events h where h.order_id = o.order_id and h.version > o.version order by h.version desc limit 1) e on true
       where w.owner_session = doomed
    ), journaled as materialized (              -- the whole journal once, not once for each order
      select distinct on (o.order_id, m.version) o.order_id, m.version, j.at, m.result as data
        from order_journal j
       cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results))
               as m (order_id, version, result)
        join orders o on o.order_id = m.order_id and o.owner_session = doomed and o.version < m.version
       where j.session_id = doomed::integer
         and j.batch >= journal_begin(doomed::integer)
       order by o.order_id, m.version, j.batch
    ), untold as materialized (
      select j.order_id, max(j.version) as version, array_agg(j.at order by j.version) as at,
             case when count(nullif(j.data, 'null')) > 0 then jsonb_agg(j.data order by j.version) end as data
        from journaled j join owned o on o.order_id = j.order_id and j.version > coalesce(o.last_version, o.version)
       group by j.order_id
    ), stood as materialized (
      select o.order_id, o.fence, o.claimed_at, coalesce(u.version, o.last_version, o.version) as version,
             o.version as claim_version, o.step as claim_step, o.direction as claim_direction,
             case when u.version is not null then o.step + u.version - o.version
                  else coalesce(step_after(o.last_kind, o.last_step), o.step) end as step,
             coalesce(direction_after(o.last_kind, o.last_direction), o.direction) as direction,
             case when coalesce(u.version, o.last_version) is null then o.retries else 0 end as retries,
             o.last_version is null as is_claim_untold, u.at as steps_at, u.data as results
        from owned o left join untold u on u.order_id = o.order_id
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
    ), claims as (                              -- where nothing followed the claim, only the order's row told of it
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
      select s.order_id, s.claim_version, 'claimed', s.claim_step, s.claim_direction, doomed, s.fence, s.claimed_at
        from stood s where s.version = s.claim_version
      on conflict do nothing
    ), steps as (                               -- what only the journal told of: the last step, and with it those before
      insert into order_events (order_id, version, kind, step, direction, session_id, fence, at, claimed_at, data, steps_at, results)
      select s.order_id, s.version, 'step_completed', s.step - 1, s.direction, doomed, s.fence, s.steps_at[n.last],
             case when s.is_claim_untold then s.claimed_at end, nullif(s.results -> (n.last - 1), 'null'),
             nullif(trim_array(s.steps_at, 1), '{}'), case when n.last > 1 then s.results - (n.last - 1) end
        from stood s cross join lateral (select cardinality(s.steps_at) as last) n where s.steps_at is not null
      on conflict do nothing
    )
    insert into order_events (order_id, version, kind, step, direction, session_id, fence, at)
    select r.order_id, r.version, case reason when 'left' then 'handed_back' else 'handed_over' end::event_kind,
           r.step, r.direction, doomed, r.fence, clock_timestamp()
      from released r;

    get diagnostics handed_over = row_count;
    delete from order_journal j
     where j.session_id = doomed::integer
       and j.batch >= journal_begin(doomed::integer);
    delete from journal_begins b where b.session_id = doomed::integer;
    -- A node that lives is told at once: it drops what it held with its next tick.
    if reason = 'transfer' then
      perform pg_notify('conveyor_work_' || doomed, 'wish');
    end if;
    session_id := doomed;
    return next;
  end loop;
end $function$;

CREATE OR REPLACE FUNCTION public.first_order_id(moment timestamp with time zone)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((lpad(to_hex((GREATEST((0)::numeric, floor((EXTRACT(epoch FROM moment) * (1000)::numeric))))::bigint), 12, '0'::text) || '70008000000000000000'::text))::uuid;

CREATE OR REPLACE FUNCTION public.forget_told_steps(session bigint)
 RETURNS void
 LANGUAGE sql
AS $function$
  with sess as materialized (
    select s.session_id::integer as session_id from node_sessions s where s.session_id = session and s.state <> 'dead' for key share
  ), batches as materialized (
    select j.batch, j.order_ids from sess join order_journal j using (session_id)
     where j.batch >= journal_begin(session::integer)
  ), looked_at as materialized (
    -- What the session owns, from the first of these orders on: not through the dead entries of all that it ever owned.
    select b.batch, (select coalesce(bool_or(i.order_id in (
                              select w.order_id from order_work w
                               where w.owner_session = session
                                 and w.order_id >= (select f.order_id from batches a cross join lateral unnest(a.order_ids) as f (order_id)
                                                     order by 1 limit 1))), false)
                       from unnest(b.order_ids) as i (order_id)) as is_needed
      from batches b
  ), gone as (
    delete from order_journal j using looked_at l where j.session_id = session::integer and j.batch = l.batch and not l.is_needed
  )
  insert into journal_begins as b (session_id, batch)
  select session::integer, coalesce(min(l.batch) filter (where l.is_needed), max(l.batch) + 1) from looked_at l having count(*) > 0
  on conflict (session_id) do update set batch = excluded.batch
$function$;

CREATE OR REPLACE FUNCTION public.gate_is_attended(l leader_lease)
 RETURNS boolean
 LANGUAGE sql
RETURN ((NOT ((l).gate_epoch IS DISTINCT FROM pg_postmaster_start_time())) AND ((l).gate_until > clock_timestamp()));

CREATE OR REPLACE FUNCTION public.journal_begin(session integer)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $function$
  select coalesce((select b.batch from journal_begins b where b.session_id = session), 0)
$function$;

CREATE OR REPLACE FUNCTION public.journaled_steps(id uuid, owner bigint, claim_version integer)
 RETURNS TABLE(version integer, at timestamp with time zone, data jsonb)
 LANGUAGE sql
 STABLE
AS $function$
  select distinct on (m.version) m.version, j.at, nullif(m.result, 'null')
    from order_journal j
   cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results)) as m (order_id, version, result)
   where j.session_id = owner::integer
     and j.batch >= journal_begin(owner::integer)
     and id = any (j.order_ids) and m.order_id = id and m.version > claim_version
     and not exists (select from order_events e where e.order_id = id and e.version >= m.version)
   order by m.version, j.batch
$function$;

CREATE OR REPLACE FUNCTION public.latency_bin(latency interval)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN (floor((((8)::double precision * ln(GREATEST(((EXTRACT(epoch FROM latency))::double precision * (1000)::double precision), (1)::double precision))) / ln((2)::double precision))))::smallint;

CREATE OR REPLACE FUNCTION public.liveness_class()
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN 1131376246;

CREATE OR REPLACE FUNCTION public.liveness_key(session bigint)
 RETURNS integer
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN ((session % '2147483648'::bigint))::integer;

CREATE OR REPLACE FUNCTION public.lost_sessions(grace interval)
 RETURNS SETOF bigint
 LANGUAGE sql
AS $function$
  with held as materialized (
    select l.objid::bigint as key from pg_locks l
     where l.locktype = 'advisory' and l.classid = liveness_class()::oid and l.objsubid = 2 and l.granted
       and l.database = (select d.oid from pg_database d where d.datname = current_database())
  )
  select s.session_id from node_sessions s
   where s.state <> 'dead' and s.has_liveness and liveness_key(s.session_id) not in (select key from held)
     and clock_timestamp() - pg_postmaster_start_time() > grace
$function$;

CREATE OR REPLACE FUNCTION public.make_partitions(width interval, moment timestamp with time zone DEFAULT clock_timestamp())
 RETURNS SETOF text
 LANGUAGE plpgsql
 SET lock_timeout TO '200ms'
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.note_compared(peer text, round integer)
 RETURNS boolean
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.queue_order(id uuid)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into order_work (order_id, next_run_at, keyed_at, workflow_id)
  select order_id, next_run_at, case when keyed then accepted_at end, workflow_id from orders where order_id = id
$function$;

CREATE OR REPLACE FUNCTION public.read_outbox(after_at timestamp with time zone, after_id uuid, after_version integer, span interval, max_rows integer, OUT upper timestamp with time zone, OUT events json)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$
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
    from (select * from (
            select x.order_id, x.version, x.kind, x.step, x.direction, x.session_id, x.fence, x.at, x.data
              from order_events x where x.at >= after_at and x.at < upper
            union all
            select x.order_id, t.version, t.kind, t.step, x.direction, x.session_id, x.fence, t.at, t.data
              from order_events x
             cross join lateral told_before(x.version, x.step, x.claimed_at, x.steps_at, x.results) t
             where x.at >= after_at and coalesce(x.claimed_at, x.steps_at[1]) < upper
               and (x.claimed_at is not null or x.steps_at is not null)
               and t.at >= after_at and t.at < upper
            union all
            select r.order_id, r.version, 'claimed', r.step, r.direction, r.owner_session, r.fence, r.next_run_at, null
              from order_work w join orders r on r.order_id = w.order_id
             where w.owner_session is not null and r.next_run_at >= after_at and r.next_run_at < upper
               and not exists (select from order_events t where t.order_id = r.order_id and t.version >= r.version)
            union all
            select r.order_id, m.version, 'step_completed', (r.step + m.version - r.version - 1)::smallint, 'forward', r.owner_session,
                   r.fence, j.at, nullif(m.result, 'null')
              from order_journal j
             cross join lateral rows from (unnest(j.order_ids), unnest(j.versions), jsonb_array_elements(j.results))
                     as m (order_id, version, result)
              join orders r on r.order_id = m.order_id and r.owner_session = j.session_id and r.version < m.version
             where j.at >= after_at and j.at < upper
               and not exists (select from order_events t where t.order_id = r.order_id and t.version >= m.version)
            union all
            select a.order_id, 1, 'accepted', 1, 'forward', null, 0, a.accepted_at, null
              from orders a
             where a.accepted_at >= after_at and a.accepted_at < upper
               and not exists (select from order_events t where t.order_id = a.order_id and t.version = 1)) all_events
           where (at, order_id, version) > (after_at, after_id, after_version)
           order by at, order_id, version limit max_rows) e
    join orders o on o.order_id = e.order_id;
end $function$;

CREATE OR REPLACE FUNCTION public.record_intervention(action text, target text, author jsonb, detail jsonb DEFAULT NULL::jsonb)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into audit (actor, action, target, reason, detail)
  values (author ->> 'actor', action, target, author ->> 'reason', detail)
$function$;

CREATE OR REPLACE FUNCTION public.release_order(id uuid, author jsonb, OUT outcome text, OUT found_state order_state, OUT found_direction order_direction)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.retry_order(id uuid, new_id uuid, customer text, workflow smallint, author jsonb, OUT outcome text, OUT found_state order_state, OUT found_direction order_direction, OUT retry_id uuid)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.roll_up_statistics(max_buckets integer, OUT upto timestamp with time zone, OUT due_in interval)
 RETURNS record
 LANGUAGE plpgsql
 SET plan_cache_mode TO 'force_custom_plan'
AS $function$                   -- VOLATILE on purpose: it counts with a newer snapshot than the open transactions
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
end $function$;

CREATE OR REPLACE FUNCTION public.seal_ranges(most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SET lock_timeout TO '20ms'
AS $function$
declare
  open_blocks constant bigint := 64;              -- at the end of a table, where rows are being added
  i record;
  block bigint;
  done integer := 0;
begin
  delete from sealed_ranges s where to_regclass(s.index_name) is null;
  for i in
    select c.oid as id, c.oid::regclass::text as name, pg_relation_filenode(x.indrelid) as filenode,
           coalesce((select o.option_value::bigint from pg_options_to_table(c.reloptions) o where o.option_name = 'pages_per_range'), 128) as width,
           pg_relation_size(x.indrelid) / current_setting('block_size')::bigint - open_blocks as full_blocks,
           s.filenode as sealed_filenode, s.blocks as sealed_blocks
      from pg_class c
      join pg_am a on a.oid = c.relam and a.amname = 'brin'
      join pg_index x on x.indexrelid = c.oid
      left join sealed_ranges s on s.index_name = c.oid::regclass::text
     where c.relkind = 'i' and c.relnamespace = (select t.relnamespace from pg_class t where t.oid = 'orders'::regclass)
  loop
    block := case when i.sealed_filenode = i.filenode then i.sealed_blocks else 0 end;
    continue when done >= most or block + i.width > i.full_blocks;
    begin
      while done < most and block + i.width <= i.full_blocks loop
        perform brin_desummarize_range(i.id, block), brin_summarize_range(i.id, block);
        block := block + i.width;
        done := done + 1;
      end loop;
      insert into sealed_ranges as s (index_name, filenode, blocks) values (i.name, i.filenode, block)
      on conflict (index_name) do update set filenode = excluded.filenode, blocks = excluded.blocks;
    exception when lock_not_available then
      continue;
    end;
  end loop;
  return done;
end $function$;

CREATE OR REPLACE FUNCTION public.settled_until()
 RETURNS timestamp with time zone
 LANGUAGE plpgsql
AS $function$
declare
  settled timestamptz := clock_timestamp();                    -- before looking: what begins later is younger
  oldest timestamptz;
begin
  select min(a.xact_start) into oldest from pg_stat_activity a
   where a.datname = current_database() and a.pid <> pg_backend_pid() and a.application_name like 'conveyor %';
  return least(settled, oldest);
end $function$;

CREATE OR REPLACE FUNCTION public.steer_node(node uuid, wish text, author jsonb)
 RETURNS SETOF bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.step_after(kind event_kind, step smallint)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE kind WHEN 'step_completed'::event_kind THEN (step + 1) WHEN 'step_undone'::event_kind THEN (step - 1) ELSE (step)::integer END;

CREATE OR REPLACE FUNCTION public.told_before(own_version integer, own_step smallint, claimed_at timestamp with time zone, steps_at timestamp with time zone[], results jsonb)
 RETURNS TABLE(version integer, kind event_kind, step smallint, at timestamp with time zone, data jsonb)
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select own_version - cardinality(steps_at) + s.n::integer - 1, 'step_completed'::event_kind,
         (own_step - cardinality(steps_at) + s.n - 1)::smallint, s.at, nullif(results -> (s.n - 1)::integer, 'null')
    from unnest(steps_at) with ordinality as s (at, n)
   union all
  select own_version - coalesce(cardinality(steps_at), 0) - 1, 'claimed', (own_step - coalesce(cardinality(steps_at), 0))::smallint,
         claimed_at, null
   where claimed_at is not null
$function$;

CREATE OR REPLACE FUNCTION public.turn_gate(session bigint, lead_term bigint, keep interval, time_limit interval, OUT state text, OUT marked integer)
 RETURNS record
 LANGUAGE plpgsql
AS $function$
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
end $function$;

CREATE OR REPLACE FUNCTION public.widen_statistics(since timestamp with time zone, until timestamp with time zone)
 RETURNS void
 LANGUAGE sql
AS $function$
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
$function$;
