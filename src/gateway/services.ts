import { Compile } from 'typebox/compile';
import { ConveyorError, type FieldFault } from '#domain/errors.ts';
import type { OrderContent, OrderRecord } from '#domain/order.ts';
import { MAX_FAULTS } from '#domain/problem.ts';
import type { Webhook } from '#engine/webhook-store.ts';
import { OrderBody } from './api.ts';
import { checkContent } from './content.ts';
import type { GatewayContext } from './context.ts';
import { hashBody, keysOf } from './idempotency.ts';
import { findByOwnId } from './routes/old-clients.ts';
import { findWebhooks, saveWebhook } from './webhook-records.ts';

/** What the routes do, for those who come another way than HTTP. */
export interface GatewayServices {
  /** Checks the content like a request's body and stores the order durably; rejects with the catalogue's errors. */
  submit(order: { customerId: string; content: unknown; key: string | undefined }): Promise<{ orderId: string; isNew: boolean }>;
  /** By our id, or by the customer's own. */
  find(id: string, customerId: string): Promise<{ record: OrderRecord; warehouse: string; stepName: string }>;
  disableWebhook(webhook: Webhook, because: string): Promise<void>;
}

declare module 'fastify' {
  interface FastifyInstance {
    services: GatewayServices;
  }
}

const orderBody = Compile(OrderBody);

export function gatewayServices(context: GatewayContext): GatewayServices {
  return {
    async submit({ customerId, content, key }) {
      const order = parseOrder(content);
      const keys = keysOf(key, order);
      const bodyHash = keys.length > 0 ? hashBody(order) : null;
      const placed = await context.placement.place({ customerId, content: order, keys, bodyHash });
      if (placed.outcome === 'created') return { orderId: placed.order.orderId, isNew: true };
      return { orderId: placed.record.order.orderId, isNew: false };
    },
    async find(id, customerId) {
      const { record, warehouse } = await findByOwnId(context, id, { name: customerId, role: 'operator' });
      return { record, warehouse: warehouse.name, stepName: context.presenter.stepName(record.order, record.events.at(-1)?.step ?? 1) };
    },
    async disableWebhook({ id, url }, because) {
      // The owner may have changed or deleted it while the answer was on its way: then the answer is not about what there is now.
      const now = (await findWebhooks(context)).find((webhook) => webhook.id === id);
      if (!now?.enabled || now.deleted || now.url !== url) return;
      await saveWebhook(context, {
        ...now,
        ...{ enabled: false, disabledBecause: because, version: now.version + 1, changedAt: context.clock.now() },
      });
    },
  };
}

function parseOrder(content: unknown): OrderContent {
  if (!orderBody.Check(content)) {
    const faults = [...orderBody.Errors(content)]
      .slice(0, MAX_FAULTS)
      .map(({ instancePath, message }): FieldFault => ({ field: instancePath || '/', reason: message }));
    throw new ConveyorError('invalid-request', `the order: ${faults[0]?.field ?? '/'} ${faults[0]?.reason ?? 'is not valid'}`, { faults });
  }
  const order = content as OrderContent;
  checkContent(order);
  return order;
}
