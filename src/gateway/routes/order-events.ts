import type { FastifyInstance } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { EventList, NoQuery, OrderParams, responses } from '../api.ts';
import { type GatewayContext, principalOf, readVisibleOrder } from '../context.ts';

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
    const after = lastEventId(request.headers['last-event-id']);
    const stream = context.streams.follow(warehouse.store, orderId, after, (event) =>
      JSON.stringify(context.presenter.event(record, event)),
    );
    request.raw.once('close', () => stream.destroy());
    return reply.header('content-type', 'text/event-stream; charset=utf-8').header('x-accel-buffering', 'no').send(stream);
  });
}

function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  if (typeof header === 'string' && /^\d{1,9}$/.test(header)) return Number(header);
  throw new ConveyorError('invalid-request', 'the Last-Event-ID header is not the id of an event of this stream', {
    faults: [{ field: 'Last-Event-ID', reason: 'must be a whole number' }],
  });
}
