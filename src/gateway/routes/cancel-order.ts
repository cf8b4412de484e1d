import type { FastifyInstance } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { NoQuery, OrderParams, OrderView, responses } from '../api.ts';
import { ReasonBody } from '../api-cluster.ts';
import { authorOf, type GatewayContext, presentOrder, principalOf, readVisibleOrder } from '../context.ts';
import { unknownOrder } from '../warehouses/warehouses.ts';

/** `POST /orders/{id}/cancel`: ends an order that waits, has a running one undone. */
export function cancelOrder(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'Cancel an order',
    params: OrderParams,
    querystring: NoQuery,
    body: ReasonBody,
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
    const author = authorOf(request, request.body.reason);
    const principal = principalOf(request);
    const { store } = context.warehouses.ofOrder(id);
    const customerId = principal.role === 'customer' ? principal.name : undefined;
    const verdict = await store.cancelOrder({ orderId: id.toLowerCase(), customerId, ...author });
    if (verdict.outcome === 'unknown') throw unknownOrder(id);
    if (verdict.outcome === 'refused') {
      throw new ConveyorError(
        'order-state-conflict',
        `the order is ${verdict.status}; only one that is queued, processing or quarantined can be cancelled`,
      );
    }
    return reply.code(202).send(await presentOrder(context, await readVisibleOrder(context, id, principal)));
  });
}
