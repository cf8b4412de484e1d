import type { FastifyInstance } from 'fastify';
import { EventList, NoQuery, OrderParams, responses } from '../api.ts';
import { type GatewayContext, principalOf, readVisibleOrder } from '../context.ts';
import { readLastEventId, sendEvents } from '../server-sent-events.ts';

/** `GET /orders/{id}/events`: the history so far as JSON, or as a stream that ends with the order. */
export function orderEvents(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: "The order's history, oldest first",
    description:
      'With `Accept: text/event-stream` it stays open and closes after the terminal event; `Last-Event-ID` goes on after that version.',
    params: OrderParams,
    querystring: NoQuery,
    response: responses({ 200: EventList }, ['invalid-order-id', 'unauthorized', 'order-not-found', 'warehouse-unavailable']),
  };
  app.get<{ Params: { id: string } }>('/orders/:id/events', { schema }, async (request, reply) => {
    const { record, warehouse } = await readVisibleOrder(context, request.params.id, principalOf(request));
    const { orderId } = record.order;
    if (!/\btext\/event-stream\b/i.test(request.headers.accept ?? '')) {
      return { order_id: orderId, events: record.events.map((event) => context.presenter.event(record, event)) };
    }
    const after = readLastEventId(request, versionOf, 'a whole number') ?? 0;
    const stream = context.streams.follow(warehouse.store, orderId, after, (event) =>
      JSON.stringify(context.presenter.event(record, event)),
    );
    return sendEvents(request, reply, stream);
  });
}

function versionOf(id: string): number | undefined {
  return /^\d{1,9}$/.test(id) ? Number(id) : undefined;
}
