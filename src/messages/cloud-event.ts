import { priceOfEvent } from '#domain/execution-price.ts';
import type { Json } from '#domain/json.ts';
import { formatTime } from '#domain/time.ts';
import type { OutboxEvent } from '#engine/outbox.ts';

/** CloudEvents 1.0, structured: what happened to an order, for whoever listens. Pure. */
export interface CloudEvent {
  specversion: '1.0';
  /** The order's id and the event's version: the same for every delivery of the event. */
  id: string;
  source: string;
  type: string;
  subject: string;
  time: string;
  datacontenttype: 'application/json';
  data: { [name: string]: Json };
}

/** What an announcement tells of. */
export type Announced = Pick<OutboxEvent, 'event' | 'content' | 'stepName'>;

export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';

export function toCloudEvent({ event, content, stepName }: Announced, warehouse: string): CloudEvent {
  const { orderId, version, kind, direction, fence, sessionId, at, data } = event;
  const { order_id: clientOrderId, region, symbol, quantity } = content;
  const price = priceOfEvent(event);
  return {
    specversion: '1.0',
    id: `${orderId}:${version}`,
    source: `/warehouses/${warehouse}`,
    type: `conveyor.order.${kind}`,
    subject: orderId,
    time: formatTime(at),
    datacontenttype: 'application/json',
    data: {
      ...{ order_id: orderId, version, kind, step_name: stepName, direction, fence, warehouse },
      ...(clientOrderId === undefined ? {} : { client_order_id: clientOrderId }),
      ...(region === undefined ? {} : { region }),
      ...(symbol === undefined ? {} : { symbol }),
      quantity: quantity ?? 1,
      ...(price === undefined ? {} : { execution_price: price }),
      ...(sessionId === null ? {} : { session: sessionId }),
      ...(data === null ? {} : { detail: data }),
    },
  };
}

/** Such as `order.completed.HCM`. */
export function routingKeyOf({ event }: Pick<OutboxEvent, 'event'>, warehouse: string): string {
  return `order.${event.kind}.${warehouse}`;
}
