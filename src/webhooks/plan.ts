import { priceOfEvent } from '#domain/execution-price.ts';
import type { Json } from '#domain/json.ts';
import { formatTime } from '#domain/time.ts';
import type { OutboxEvent } from '#engine/outbox.ts';
import type { Delivery, DeliveryAttempt, NewDelivery, Webhook } from '#engine/webhook-store.ts';

/** What is delivered to whom, and when it is tried again. Pure. */

export function planFor(told: OutboxEvent, webhooks: readonly Webhook[], warehouse: string): NewDelivery[] {
  const { event, customerId } = told;
  return webhooks
    .filter(
      (webhook) =>
        webhook.customerId === customerId && !webhook.deleted && webhook.kinds.includes(event.kind) && event.at >= webhook.createdAt,
    )
    .map(({ id }) => ({ webhookId: id, orderId: event.orderId, version: event.version, body: bodyOf(told, warehouse) }));
}

function bodyOf({ event, content, stepName }: OutboxEvent, warehouse: string): Json {
  const price = priceOfEvent(event);
  return {
    type: `order.${event.kind}`,
    timestamp: formatTime(event.at),
    data: {
      order_id: event.orderId,
      ...(content.order_id === undefined ? {} : { client_order_id: content.order_id }),
      ...(content.tracking_id === undefined ? {} : { tracking_id: content.tracking_id }),
      ...{ version: event.version, step_name: stepName, warehouse },
      ...(price === undefined ? {} : { execution_price: price }),
    },
  };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Before the second try, the third, …; the last one repeats. */
const DELAYS_MS = [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR];
export const GIVE_UP_AFTER_MS = 3 * 24 * HOUR;
/** The URL is gone for good: its owner says so. */
const GONE = 410;

export interface Answer {
  /** `undefined`: there was none. */
  status: number | undefined;
  error: string | undefined;
}

/** What follows from an answer: delivered, to be tried again, or given up. `random`: so that many do not come back at once. */
export function judge(
  { status, error }: Answer,
  delivery: Pick<Delivery, 'attempts' | 'since'>,
  now: number,
  random: number,
): DeliveryAttempt {
  const wasTaken = status !== undefined && status >= 200 && status < 300;
  if (wasTaken) return { state: 'delivered', status, error: null, delayMs: 0 };
  const reason = error ?? `it answered ${status}`;
  const isOver = status === GONE || now - delivery.since >= GIVE_UP_AFTER_MS;
  const delayMs = (DELAYS_MS[Math.min(delivery.attempts, DELAYS_MS.length - 1)] as number) * (0.8 + 0.4 * random);
  return { state: isOver ? 'given_up' : 'waiting', status: status ?? null, error: reason, delayMs: isOver ? 0 : Math.round(delayMs) };
}

/** Why a webhook is disabled after this; `undefined`: it is not. One event that a receiver cannot take costs it no others. */
export function findReasonToDisable({ state, status, error }: DeliveryAttempt, hasDelivered: boolean): string | undefined {
  if (state !== 'given_up') return undefined;
  if (status === GONE) return 'it answered 410: gone';
  return hasDelivered ? undefined : `no delivery succeeded for three days; the last time: ${error}`;
}
