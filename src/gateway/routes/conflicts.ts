import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';
import { formatTime } from '#domain/time.ts';
import type { KeyConflict } from '#engine/peer-store.ts';
import { NoQuery, OrderParams, responses } from '../api.ts';
import { ReasonBody, type ReasonJson } from '../api-cluster.ts';
import { type ConflictJson, ConflictPage, ConflictQuery, ConflictView } from '../api-warehouses.ts';
import { authorOf, type GatewayContext, requireOperator } from '../context.ts';
import { type PageQuery, readPage } from '../pages.ts';

interface Query extends PageQuery {
  all?: string;
}

/** `GET /conflicts`: what the keys of several warehouses leave open, for a person to decide; and saying that it was. */
export function conflicts(app: FastifyInstance, context: GatewayContext): void {
  const listSchema = {
    summary: 'Keys whose orders a person has to look at after an outage, newest first',
    querystring: ConflictQuery,
    response: responses({ 200: ConflictPage }, ['invalid-request', 'invalid-cursor', 'unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  app.get<{ Querystring: Query }>('/conflicts', { schema: listSchema }, (request) => {
    requireOperator(request);
    return listConflicts(context, request.query);
  });

  const resolveSchema = {
    summary: 'Say that a conflict was looked after',
    params: OrderParams,
    body: ReasonBody,
    querystring: NoQuery,
    response: responses({ 200: ConflictView }, [
      'invalid-request',
      'unauthorized',
      'forbidden',
      'conflict-not-found',
      'warehouse-unavailable',
    ]),
  };
  app.post<{ Params: { id: string }; Body: ReasonJson }>('/conflicts/:id/resolve', { schema: resolveSchema }, (request) =>
    resolveConflict(context, request),
  );
}

async function listConflicts({ warehouses }: GatewayContext, { all = 'false', ...query }: Query): Promise<object> {
  const { shown, about } = await readPage(warehouses.all, query, `conflicts ${all}`, ({ store }, page) =>
    store.peers.listConflicts({ all: all === 'true', ...page }),
  );
  return { conflicts: shown.map(({ entry, warehouse }) => viewOf(entry, warehouse.name)), ...about };
}

async function resolveConflict(
  { warehouses }: GatewayContext,
  request: FastifyRequest<{ Params: { id: string }; Body: ReasonJson }>,
): Promise<ConflictJson> {
  requireOperator(request);
  const { id } = request.params;
  if (!isUuid(id))
    throw new ConveyorError('invalid-request', `${JSON.stringify(id.slice(0, 100))} is no id of a conflict; a UUID is expected`);
  const author = authorOf(request, request.body.reason);
  const resolved = await warehouses.find(`the conflict ${id}`, (store) => store.peers.resolveConflict(id, author));
  if (resolved) return viewOf(resolved.found, resolved.name);
  throw new ConveyorError('conflict-not-found', `no warehouse has an open conflict ${id}`);
}

function viewOf(conflict: KeyConflict, warehouse: string): ConflictJson {
  const { id, foundAt, kind, customerId, key, orderId, otherOrderId, missing, resolvedAt, resolvedBy, resolution } = conflict;
  return {
    id,
    found_at: formatTime(foundAt),
    kind,
    warehouse,
    customer_id: customerId,
    ...(key ? { key } : {}),
    order_id: orderId,
    ...(otherOrderId === undefined ? {} : { other_order_id: otherOrderId }),
    ...(missing.length > 0 ? { missing } : {}),
    ...(resolvedAt === null ? {} : { resolved_at: formatTime(resolvedAt) }),
    ...(resolvedBy === null ? {} : { resolved_by: resolvedBy }),
    ...(resolution === null ? {} : { resolution }),
  };
}
