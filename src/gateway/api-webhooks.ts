import { type Static, Type } from 'typebox';
import { EVENT_KINDS } from '#domain/order-state.ts';
import { aboutPage, pageQuery, Time } from './api.ts';

/** The wire of webhooks, as schemas. */

const EventType = Type.Unsafe<string>({ type: 'string', enum: EVENT_KINDS.map((kind) => `order.${kind}`) });
const Url = Type.String({ minLength: 1, maxLength: 2_000, description: 'http or https; reachable from everywhere' });
const Events = Type.Array(EventType, {
  minItems: 1,
  maxItems: 50,
  uniqueItems: true,
  description: 'default: completed, failed and cancelled',
});

export const WebhookBody = Type.Object({ url: Url, events: Type.Optional(Events) }, { additionalProperties: false });

export const WebhookPatch = Type.Object(
  { url: Type.Optional(Url), events: Type.Optional(Events), enabled: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

export const WebhookView = Type.Object({
  id: Type.String(),
  url: Type.String(),
  events: Type.Array(Type.String()),
  enabled: Type.Boolean(),
  disabled_because: Type.Optional(Type.String()),
  customer_id: Type.String(),
  created_at: Time,
  secret: Type.Optional(Type.String({ description: 'only in the answer that makes it; deliveries are signed with it' })),
});

export const WebhookList = Type.Object({ webhooks: Type.Array(WebhookView) });

export const DeliveryView = Type.Object({
  id: Type.String({ description: 'also the webhook-id of every try' }),
  webhook_id: Type.String(),
  order_id: Type.String(),
  type: Type.String(),
  state: Type.String({ description: 'waiting, delivered or given_up' }),
  attempts: Type.Integer(),
  created_at: Time,
  next_at: Type.Optional(Time),
  last_at: Type.Optional(Time),
  last_status: Type.Optional(Type.Integer()),
  last_error: Type.Optional(Type.String()),
  warehouse: Type.String(),
});

export const DeliveryPage = Type.Object({
  deliveries: Type.Array(DeliveryView),
  ...aboutPage,
});

export const DeliveryQuery = Type.Object(pageQuery, { additionalProperties: false });

export type WebhookJson = Static<typeof WebhookView>;
export type WebhookListJson = Static<typeof WebhookList>;
export type DeliveryJson = Static<typeof DeliveryView>;
export type DeliveryPageJson = Static<typeof DeliveryPage>;
