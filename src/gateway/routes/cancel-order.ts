import type { FastifyInstance } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { textFault } from '#domain/json.ts';
import { CancelBody, NoQuery, OrderParams, OrderView, responses } from '../api.ts';
import { type GatewayContext, principalOf, readVisibleOrder } from '../context.ts';
import { unknownOrder } from '../routing.ts';

/** `POST /orders/{id}/cancel`: ends an order that waits, has a running one undone. */
export function cancelOrder(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'Cancel an order',
    params: OrderParams,
    querystring: NoQuery,
    body: CancelBody,
    response: responses({ 202: OrderView }, [
      'invalid-order-id',
      'unauthorized',
      'order-not-found',
      'order-state-conflict',
      'warehouse-unavailable',
    ]),
  };
  app.post<{ Params: { id: string }; Body: { reason?: string } }>('/orders/:id/cancel', { schema }, async (request, reply) => {
    const { id } = request.params;
    const { reason } = request.body;
    const fault = reason === undefined ? undefined : textFault(reason);
    if (fault) throw new ConveyorError('invalid-request', `/reason ${fault}`, { faults: [{ field: '/reason', reason: fault }] });
    const principal = principalOf(request);
    const store = context.routing.routeId(id);
    const customerId = principal.role === 'customer' ? principal.name : undefined;
    const verdict = await store.cancelOrder({ orderId: id.toLowerCase(), customerId, actor: principal.name, reason });
    if (verdict.outcome === 'unknown') throw unknownOrder(id);
    if (verdict.outcome === 'refused') {
      throw new ConveyorError(
        'order-state-conflict',
        `the order is ${verdict.status}; only one that is queued or processing can be cancelled`,
      );
    }
    const { record } = await readVisibleOrder(context, id, principal);
    return reply.code(202).send(context.presenter.order(record, store.warehouse.name));
  });
}
