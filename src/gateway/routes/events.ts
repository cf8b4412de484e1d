import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { responses } from '../api.ts';
import { LiveQuery, type LiveQueryJson } from '../api-live.ts';
import { tokenOf } from '../auth.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import type { LiveFilter } from '../live/message.ts';
import { decodePlaces } from '../live/place-id.ts';
import { nodeIdOf } from '../node-id.ts';
import { refuseUnstorableText } from '../order-filter.ts';
import { readLastEventId, sendEvents } from '../server-sent-events.ts';

/** `GET /events`: what happens to all orders, as it happens. */
export function events(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'What happens to all orders, as it happens',
    description: [
      'A stream of server-sent events over all warehouses, those of an order in their order; docs/events.md shows its messages.',
      'The filters concern the event: the status right after it, its step, the node that wrote it.',
      '`Last-Event-ID` goes on after that message; where something had to be skipped, a message `gap` says so.',
    ].join(' '),
    querystring: LiveQuery,
    response: responses(
      { 200: { description: 'The stream; it has no end of its own', content: { 'text/event-stream': { schema: Type.String() } } } },
      ['invalid-request', 'unauthorized', 'forbidden'],
    ),
  };
  app.get<{ Querystring: LiveQueryJson }>('/events', { schema }, (request, reply) => {
    requireOperator(request);
    const token = tokenOf(request);
    const stream = context.live.follow({
      warehouses: context.warehouses.select(request.query.warehouse),
      after: readLastEventId(request, decodePlaces, 'an id that GET /events sent, unchanged'),
      filter: filterOf(request.query),
      checkAccess: async () => context.authenticator.authenticate(token),
    });
    return sendEvents(request, reply, stream);
  });
}

function filterOf(query: LiveQueryJson): LiveFilter {
  refuseUnstorableText(query);
  const { status, step, region, node, customer_name } = query;
  return {
    ...(status === undefined ? {} : { status }),
    ...(step === undefined ? {} : { step_name: step }),
    ...(region === undefined ? {} : { region }),
    ...(node === undefined ? {} : { node_id: nodeIdOf(node, 'node') }),
    ...(customer_name === undefined ? {} : { customer_name }),
  };
}
