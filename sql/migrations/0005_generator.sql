-- What the whole cluster has settled, the same in every warehouse: the higher version wins.
create table cluster_settings (
  name       text primary key,
  value      jsonb not null,
  version    bigint not null,
  changed_at timestamptz not null,
  changed_by text not null
);

-- Who of several gateways does something that one of them has to do. Losing it harms nothing: what is done twice has one key.
create table cluster_leases (
  name        text primary key,
  holder      text not null,
  lease_until timestamptz not null,
  detail      jsonb                                -- what the holder wants to be seen
) with (fillfactor = 50);
