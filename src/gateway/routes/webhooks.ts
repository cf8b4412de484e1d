import { randomBytes, randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Static } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';
import { formatTime } from '#domain/time.ts';
import type { Delivery, Webhook } from '#engine/webhook-store.ts';
import { NoQuery, OrderParams, responses } from '../api.ts';
import {
  type DeliveryJson,
  DeliveryPage,
  DeliveryQuery,
  DeliveryView,
  WebhookBody,
  type WebhookJson,
  WebhookList,
  WebhookPatch,
  WebhookView,
} from '../api-webhooks.ts';
import type { Principal } from '../auth.ts';
import { type GatewayContext, principalOf } from '../context.ts';
import { readPage } from '../pages.ts';
import { findWebhooks, resumeWebhook, saveWebhook } from '../webhook-records.ts';

const SECRET_BYTES = 32;
const MAX_WEBHOOKS = 20;
/** A deletion outruns every change that was begun before it. */
const DELETION_LEAD = 1_000_000;
/** Of whoever does not choose. */
const DEFAULT_KINDS = ['completed', 'failed', 'cancelled'];

/** A customer's webhooks: where it is told of its orders, and what became of each telling. */
export function webhooks(app: FastifyInstance, context: GatewayContext): void {
  const codes = ['invalid-request', 'unauthorized', 'warehouse-unavailable'] as const;
  app.post<{ Body: Static<typeof WebhookBody> }>(
    '/webhooks',
    {
      schema: {
        summary: 'Be told of your orders by signed requests',
        body: WebhookBody,
        querystring: NoQuery,
        response: responses({ 201: WebhookView }, [...codes]),
      },
    },
    async (request, reply) => {
      const { url, events } = request.body;
      checkUrl(context, url);
      const principal = principalOf(request);
      const own = (await visibleTo(context, principal)).filter(({ customerId }) => customerId === principal.name);
      if (own.length >= MAX_WEBHOOKS)
        throw new ConveyorError('invalid-request', `you have ${MAX_WEBHOOKS} webhooks already; delete one first`);
      const secret = randomBytes(SECRET_BYTES).toString('base64');
      const now = context.clock.now();
      const webhook: Webhook = {
        ...{
          id: randomUUID(),
          customerId: principal.name,
          url,
          kinds: events ? kindsOf(events) : DEFAULT_KINDS,
          secret,
          enabled: true,
          disabledBecause: null,
        },
        ...{ deleted: false, createdAt: now, version: 1, changedAt: now },
      };
      await saveWebhook(context, webhook);
      reply.code(201).header('location', `/webhooks/${webhook.id}`);
      return { ...viewOf(webhook), secret: showSecret(secret) };
    },
  );
  readWebhooks(app, context);
  changeWebhooks(app, context);
  deliveries(app, context);
}

function changeWebhooks(app: FastifyInstance, context: GatewayContext): void {
  const codes = ['invalid-request', 'unauthorized', 'webhook-not-found', 'warehouse-unavailable'] as const;
  const one = { params: OrderParams, querystring: NoQuery };
  app.patch<{ Params: { id: string }; Body: Static<typeof WebhookPatch> }>(
    '/webhooks/:id',
    {
      schema: {
        summary: 'Change a webhook, disable it, or enable it again',
        ...one,
        body: WebhookPatch,
        response: responses({ 200: WebhookView }, [...codes]),
      },
    },
    async (request) => {
      const before = await findOne(context, request.params.id, principalOf(request));
      const { url = before.url, events, enabled = before.enabled } = request.body;
      // One that is not allowed any more can still be disabled.
      if (request.body.url !== undefined || enabled) checkUrl(context, url);
      const disabledBecause = enabled ? null : before.enabled ? 'by its owner' : before.disabledBecause;
      const after = await change(context, before, { url, enabled, disabledBecause, kinds: events ? kindsOf(events) : before.kinds });
      if (enabled && !before.enabled) await resumeWebhook(context, after.id);
      return viewOf(after);
    },
  );
  app.delete<{ Params: { id: string } }>(
    '/webhooks/:id',
    {
      schema: {
        summary: 'Delete a webhook',
        ...one,
        response: { ...responses({}, [...codes]), 204: { type: 'null', description: 'deleted' } },
      },
    },
    async (request, reply) => {
      await change(context, await findOne(context, request.params.id, principalOf(request)), { deleted: true, enabled: false });
      return reply.code(204).send();
    },
  );
}

function readWebhooks(app: FastifyInstance, context: GatewayContext): void {
  const codes = ['unauthorized', 'webhook-not-found', 'warehouse-unavailable'] as const;
  const one = { params: OrderParams, querystring: NoQuery };
  app.get(
    '/webhooks',
    { schema: { summary: 'Your webhooks', querystring: NoQuery, response: responses({ 200: WebhookList }, [...codes]) } },
    async (request) => ({
      webhooks: (await visibleTo(context, principalOf(request))).map(viewOf),
    }),
  );
  app.get<{ Params: { id: string } }>(
    '/webhooks/:id',
    { schema: { summary: 'One webhook', ...one, response: responses({ 200: WebhookView }, [...codes]) } },
    async (request) => viewOf(await findOne(context, request.params.id, principalOf(request))),
  );
}

function deliveries(app: FastifyInstance, context: GatewayContext): void {
  const codes = ['invalid-request', 'invalid-cursor', 'unauthorized', 'webhook-not-found', 'warehouse-unavailable'] as const;
  app.get<{ Params: { id: string }; Querystring: Static<typeof DeliveryQuery> }>(
    '/webhooks/:id/deliveries',
    {
      schema: {
        summary: 'What was delivered, what waits, and what went wrong; newest first',
        params: OrderParams,
        querystring: DeliveryQuery,
        response: responses({ 200: DeliveryPage }, [...codes]),
      },
    },
    async (request) => {
      const { id } = await findOne(context, request.params.id, principalOf(request));
      const { shown, about } = await readPage(context.warehouses.all, request.query, `deliveries ${id}`, ({ store }, page) =>
        store.webhooks.listDeliveries({ webhookId: id, ...page }),
      );
      return { deliveries: shown.map(({ entry, warehouse }) => viewOfDelivery(entry, warehouse.name)), ...about };
    },
  );
  app.post<{ Params: { id: string } }>(
    '/webhooks/deliveries/:id/redeliver',
    {
      schema: {
        summary: 'Deliver once more, whatever became of it',
        params: OrderParams,
        querystring: NoQuery,
        response: responses({ 202: DeliveryView }, [...codes]),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      if (!isUuid(id)) throw unknownDelivery(id);
      const own = (await visibleTo(context, principalOf(request))).map((webhook) => webhook.id);
      const redelivered = await context.warehouses.find(`the delivery ${id}`, (store) => store.webhooks.redeliver(id, own));
      if (!redelivered) throw unknownDelivery(id);
      reply.code(202);
      return viewOfDelivery(redelivered.found, redelivered.name);
    },
  );
}

function unknownDelivery(id: string): ConveyorError {
  return new ConveyorError('webhook-not-found', `there is no delivery ${JSON.stringify(id.slice(0, 100))} that this token may see`);
}

/** An operator sees all, a customer its own; deleted ones are gone. */
async function visibleTo(context: GatewayContext, { role, name }: Principal): Promise<Webhook[]> {
  return (await findWebhooks(context)).filter(({ deleted, customerId }) => !deleted && (role === 'operator' || customerId === name));
}

async function findOne(context: GatewayContext, id: string, principal: Principal): Promise<Webhook> {
  const found = (await visibleTo(context, principal)).find((webhook) => webhook.id === id.toLowerCase());
  if (found) return found;
  throw new ConveyorError('webhook-not-found', `there is no webhook ${JSON.stringify(id.slice(0, 100))} that this token may see`);
}

async function change(context: GatewayContext, before: Webhook, changes: Partial<Webhook>): Promise<Webhook> {
  const version = before.version + (changes.deleted ? DELETION_LEAD : 1);
  const after = { ...before, ...changes, version, changedAt: context.clock.now() };
  await saveWebhook(context, after);
  return after;
}

function checkUrl({ webhookUrlFault }: GatewayContext, url: string): void {
  const fault = webhookUrlFault(url);
  if (fault) throw new ConveyorError('invalid-request', `/url ${fault}`, { faults: [{ field: '/url', reason: fault }] });
}

function kindsOf(events: readonly string[]): string[] {
  return events.map((event) => event.slice('order.'.length));
}

/** As Standard Webhooks writes it, and as it is shown to the customer, once. */
function showSecret(base64: string): string {
  return `whsec_${base64}`;
}

function viewOf({ id, url, kinds, enabled, disabledBecause, customerId, createdAt }: Webhook): WebhookJson {
  return {
    ...{ id, url, events: kinds.map((kind) => `order.${kind}`), enabled },
    ...(disabledBecause === null ? {} : { disabled_because: disabledBecause }),
    customer_id: customerId,
    created_at: formatTime(createdAt),
  };
}

function viewOfDelivery(delivery: Delivery, warehouse: string): DeliveryJson {
  const { id, webhookId, orderId, state, attempts, createdAt, nextAt, lastAt, lastStatus, lastError, body } = delivery;
  return {
    ...{ id, webhook_id: webhookId, order_id: orderId, type: String((body as { type?: unknown }).type), state, attempts },
    created_at: formatTime(createdAt),
    ...(state === 'waiting' ? { next_at: formatTime(nextAt) } : {}),
    ...(lastAt === null ? {} : { last_at: formatTime(lastAt) }),
    ...(lastStatus === null ? {} : { last_status: lastStatus }),
    ...(lastError === null ? {} : { last_error: lastError }),
    warehouse,
  };
}
