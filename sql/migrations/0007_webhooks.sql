-- Where customers want to be told of their orders. The same records in every warehouse: the higher version wins.
create table webhooks (
  webhook_id       uuid primary key,
  customer_id      text not null,
  url              text not null,
  kinds            text[] not null,
  secret           text not null,                            -- base64; deliveries are signed with it
  enabled          boolean not null,
  disabled_because text,
  deleted          boolean not null default false,
  created_at       timestamptz not null,
  version          bigint not null,
  changed_at       timestamptz not null
);

-- What is to be told, was told, and could not be told: one row for each event and webhook.
create table webhook_deliveries (
  delivery_id uuid primary key default uuidv7(),
  webhook_id  uuid not null,
  order_id    uuid not null,
  version     integer not null,
  state       text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up')),
  attempts    integer not null default 0,
  created_at  timestamptz not null default clock_timestamp(),
  since       timestamptz not null default clock_timestamp(), -- of the present try: redelivery by hand begins anew
  next_at     timestamptz not null default clock_timestamp(),
  last_at     timestamptz,
  last_status integer,
  last_error  text,
  body        jsonb not null,
  unique (webhook_id, order_id, version)
);
create index webhook_deliveries_waiting on webhook_deliveries (webhook_id, next_at) where state = 'waiting';
create index webhook_deliveries_given_up on webhook_deliveries (webhook_id) where state = 'given_up';
create index webhook_deliveries_listed on webhook_deliveries (webhook_id, delivery_id);
