import type { Json } from '#domain/json.ts';
import { type EpochMs, formatTime } from '#domain/time.ts';
import type { Delivery, Webhook, WebhookStore } from '#engine/webhook-store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';

const LIST_WEBHOOKS: Statement = {
  name: 'list_webhooks',
  text: `
    select webhook_id, customer_id, url, kinds, secret, enabled, disabled_because, deleted, created_at, version, changed_at
      from webhooks order by webhook_id`,
};

const IMPORT_WEBHOOKS: Statement = {
  name: 'import_webhooks',
  text: `
    insert into webhooks as w (webhook_id, customer_id, url, kinds, secret, enabled, disabled_because, deleted, created_at, version, changed_at)
    select webhook_id, customer_id, url, array(select jsonb_array_elements_text(kinds)), secret, enabled, disabled_because, deleted,
           created_at, version, changed_at
      from unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::text[], $6::boolean[], $7::text[], $8::boolean[], $9::timestamptz[],
                  $10::bigint[], $11::timestamptz[])
             as i (webhook_id, customer_id, url, kinds, secret, enabled, disabled_because, deleted, created_at, version, changed_at)
    on conflict (webhook_id) do update
       set url = excluded.url, kinds = excluded.kinds, secret = excluded.secret, enabled = excluded.enabled,
           disabled_because = excluded.disabled_because, deleted = excluded.deleted, version = excluded.version, changed_at = excluded.changed_at
     where (w.version, w.changed_at) < (excluded.version, excluded.changed_at)`,
};

/** What waits behind another is not due before it, so a webhook that fails has nothing to be looked through on every turn. */
const PLAN: Statement = {
  name: 'plan_deliveries',
  text: `
    insert into webhook_deliveries (webhook_id, order_id, version, body, next_at)
    select i.webhook_id, i.order_id, i.version, i.body,
           coalesce((select max(w.next_at) from webhook_deliveries w
                      where w.webhook_id = i.webhook_id and w.order_id = i.order_id and w.state = 'waiting'), clock_timestamp())
      from unnest($1::uuid[], $2::uuid[], $3::int[], $4::jsonb[]) as i (webhook_id, order_id, version, body) on conflict do nothing`,
};

const COLUMNS = `d.delivery_id, d.webhook_id, d.order_id, d.version, d.state, d.attempts, d.created_at, d.since, d.next_at, d.last_at,
       d.last_status, d.last_error, d.body`;

/** Earlier events of the same order come first: a later one waits for them. The time is a subquery, so that the index is asked for it. */
const TAKE_DUE: Statement = {
  name: 'take_due_deliveries',
  text: `
    with due as materialized (
      select q.delivery_id from unnest($1::uuid[], $2::int[]) as h (webhook_id, free)
       cross join lateral (
         select w.delivery_id from webhook_deliveries w
          where w.webhook_id = h.webhook_id and w.state = 'waiting' and w.next_at <= (select clock_timestamp())
            and not exists (select from webhook_deliveries e
                             where e.webhook_id = w.webhook_id and e.order_id = w.order_id and e.version < w.version and e.state = 'waiting')
          order by w.next_at limit h.free for update skip locked) q
    )
    update webhook_deliveries d set next_at = clock_timestamp() + $3 * interval '1 millisecond'
     where d.delivery_id = any (array(select delivery_id from due))
    returning ${COLUMNS}`,
};

/** Those that wait behind it follow it: they are due when it is tried again, or now that it is done. */
const FINISH: Statement = {
  name: 'finish_delivery',
  text: `
    with tried as (
      update webhook_deliveries
         set state = $2, attempts = attempts + 1, last_at = clock_timestamp(), last_status = $3, last_error = $4,
             next_at = clock_timestamp() + $5 * interval '1 millisecond'
       where delivery_id = $1 returning webhook_id, order_id, version, next_at
    )
    update webhook_deliveries w set next_at = tried.next_at from tried
     where w.webhook_id = tried.webhook_id and w.order_id = tried.order_id and w.version > tried.version and w.state = 'waiting'`,
};

/** Bounded, as any number may wait; what waits behind these follows them, what is left over comes at its own time. */
const RESUME: Statement = {
  name: 'resume_deliveries',
  text: `
    update webhook_deliveries d set state = 'waiting', attempts = 0, since = clock_timestamp(), next_at = clock_timestamp()
     where d.delivery_id = any (array(select g.delivery_id from webhook_deliveries g
                                       where g.webhook_id = $1 and g.state = 'given_up' limit 10000)
                             || array(select w.delivery_id from webhook_deliveries w
                                       where w.webhook_id = $1 and w.state = 'waiting' and w.attempts > 0 order by w.next_at limit 10000))`,
};

const HAS_DELIVERED: Statement = {
  name: 'has_delivered',
  text: `select from webhook_deliveries where webhook_id = $1 and state = 'delivered' and last_at >= $2 limit 1`,
};

const LIST_DELIVERIES: Statement = {
  name: 'list_deliveries',
  text: `
    select ${COLUMNS} from webhook_deliveries d
     where d.webhook_id = $1 and ($3::uuid is null or d.delivery_id < $3) order by d.delivery_id desc limit $2`,
};

const REDELIVER: Statement = {
  name: 'redeliver',
  text: `
    update webhook_deliveries d set state = 'waiting', attempts = 0, since = clock_timestamp(), next_at = clock_timestamp()
     where d.delivery_id = $1 and d.webhook_id = any ($2::uuid[]) returning ${COLUMNS}`,
};

interface WebhookRow {
  webhook_id: string;
  customer_id: string;
  url: string;
  kinds: string[];
  secret: string;
  enabled: boolean;
  disabled_because: string | null;
  deleted: boolean;
  created_at: EpochMs;
  version: number;
  changed_at: EpochMs;
}

interface DeliveryRow {
  delivery_id: string;
  webhook_id: string;
  order_id: string;
  version: number;
  state: Delivery['state'];
  attempts: number;
  created_at: EpochMs;
  since: EpochMs;
  next_at: EpochMs;
  last_at: EpochMs | null;
  last_status: number | null;
  last_error: string | null;
  body: Json;
}

export function webhookStore(connection: Connection): WebhookStore {
  return {
    list: () => listWebhooks(connection),
    async plan(deliveries) {
      await connection.run(PLAN, [
        arrayOf(deliveries.map(({ webhookId }) => webhookId)),
        arrayOf(deliveries.map(({ orderId }) => orderId)),
        arrayOf(deliveries.map(({ version }) => version)),
        textArrayOf(deliveries.map(({ body }) => JSON.stringify(body))),
      ]);
    },
    async takeDue(free, holdMs) {
      const values = [arrayOf(free.map(({ webhookId }) => webhookId)), arrayOf(free.map((one) => one.free)), holdMs];
      return (await connection.run<DeliveryRow>(TAKE_DUE, values)).map(deliveryOf);
    },
    async finish(deliveryId, { state, status, error, delayMs }) {
      await connection.run(FINISH, [deliveryId, state, status, error, delayMs]);
    },
    async resume(webhookId) {
      await connection.run(RESUME, [webhookId]);
    },
    hasDelivered: async (webhookId, since) => (await connection.run(HAS_DELIVERED, [webhookId, formatTime(since)])).length > 0,
    async listDeliveries({ webhookId, limit, beforeId }) {
      return (await connection.run<DeliveryRow>(LIST_DELIVERIES, [webhookId, limit, beforeId ?? null])).map(deliveryOf);
    },
    async redeliver(deliveryId, webhookIds) {
      const [row] = await connection.run<DeliveryRow>(REDELIVER, [deliveryId, arrayOf(webhookIds)]);
      return row && deliveryOf(row);
    },
  };
}

export async function listWebhooks(connection: Connection): Promise<Webhook[]> {
  const rows = await connection.run<WebhookRow>(LIST_WEBHOOKS, []);
  return rows.map((row) => ({
    id: row.webhook_id,
    customerId: row.customer_id,
    url: row.url,
    kinds: row.kinds,
    secret: row.secret,
    enabled: row.enabled,
    disabledBecause: row.disabled_because,
    deleted: row.deleted,
    createdAt: row.created_at,
    version: row.version,
    changedAt: row.changed_at,
  }));
}

export async function importWebhooks(connection: Connection, webhooks: readonly Webhook[]): Promise<void> {
  const moments = (pick: (webhook: Webhook) => EpochMs): string => textArrayOf(webhooks.map((webhook) => formatTime(pick(webhook))));
  await connection.runDurably(IMPORT_WEBHOOKS, [
    arrayOf(webhooks.map(({ id }) => id)),
    textArrayOf(webhooks.map(({ customerId }) => customerId)),
    textArrayOf(webhooks.map(({ url }) => url)),
    textArrayOf(webhooks.map(({ kinds }) => JSON.stringify(kinds))),
    textArrayOf(webhooks.map(({ secret }) => secret)),
    arrayOf(webhooks.map(({ enabled }) => enabled)),
    textArrayOf(webhooks.map(({ disabledBecause }) => disabledBecause)),
    arrayOf(webhooks.map(({ deleted }) => deleted)),
    moments(({ createdAt }) => createdAt),
    arrayOf(webhooks.map(({ version }) => version)),
    moments(({ changedAt }) => changedAt),
  ]);
}

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.delivery_id,
    webhookId: row.webhook_id,
    orderId: row.order_id,
    version: row.version,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at,
    since: row.since,
    nextAt: row.next_at,
    lastAt: row.last_at,
    lastStatus: row.last_status,
    lastError: row.last_error,
    body: row.body,
  };
}
