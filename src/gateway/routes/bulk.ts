import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';
import { NoQuery, OrderParams, responses } from '../api.ts';
import {
  BulkBody,
  type BulkBodyJson,
  BulkPage,
  BulkPreview,
  type BulkPreviewJson,
  BulkQuery,
  BulkView,
  type BulkViewJson,
  COUNTED_AT_MOST,
  DEFAULT_PACE,
} from '../api-bulk.ts';
import { ReasonBody, type ReasonJson } from '../api-cluster.ts';
import { type BulkRequest, beginBulk, countMatching, listBulks, readBulk, stopBulk } from '../bulk/operations.ts';
import { bulkFilterOf } from '../bulk/plan.ts';
import { authorOf, type GatewayContext, requireOperator } from '../context.ts';
import { readOrderPage } from '../order-pages.ts';
import type { PageQuery } from '../pages.ts';

const SAMPLE = 10;

type BeginRequest = FastifyRequest<{ Body: BulkBodyJson }>;

/** `/orders/bulk`: cancel or retry all orders that match; count first, then at a pace, stoppable. */
export function bulk(app: FastifyInstance, context: GatewayContext): void {
  const codes = ['invalid-request', 'unauthorized', 'forbidden', 'warehouse-unavailable'] as const;
  const beginSchema = {
    summary: 'Cancel or retry all orders that match',
    description:
      'With `dry_run` it only counts them and shows some. Otherwise orders that were accepted before are seen to, newest first, at the ' +
      'pace that is given, until none is left or somebody stops it; it goes on whatever becomes of this gateway.',
    querystring: NoQuery,
    body: BulkBody,
    response: responses({ 200: BulkPreview, 202: BulkView }, [...codes]),
  };
  app.post<{ Body: BulkBodyJson }>('/orders/bulk', { schema: beginSchema }, (request, reply) => begin(context, request, reply));

  const listSchema = {
    summary: 'Operations on many orders, newest first',
    querystring: BulkQuery,
    response: responses({ 200: BulkPage }, [...codes, 'invalid-cursor']),
  };
  app.get<{ Querystring: PageQuery }>('/orders/bulk', { schema: listSchema }, (request) => {
    requireOperator(request);
    return listBulks(context, request.query);
  });

  const one = { params: OrderParams, querystring: NoQuery };
  const oneCodes = [...codes, 'bulk-not-found'] as const;
  const readSchema = { ...one, summary: 'How far an operation on many orders is', response: responses({ 200: BulkView }, oneCodes) };
  app.get<{ Params: { id: string } }>('/orders/bulk/:id', { schema: readSchema }, (request) => {
    requireOperator(request);
    return readBulk(context, bulkIdOf(request.params.id));
  });

  const stopSchema = {
    ...one,
    summary: 'See to no more orders of an operation',
    description: 'What is under way, half a second of it, is still done and counted.',
    body: ReasonBody,
    response: responses({ 202: BulkView }, oneCodes),
  };
  app.post<{ Params: { id: string }; Body: ReasonJson }>('/orders/bulk/:id/stop', { schema: stopSchema }, async (request, reply) => {
    requireOperator(request);
    const author = authorOf(request, request.body.reason);
    return reply.code(202).send(await stopBulk(context, bulkIdOf(request.params.id), author));
  });
}

async function begin(context: GatewayContext, request: BeginRequest, reply: FastifyReply): Promise<BulkPreviewJson | BulkViewJson> {
  requireOperator(request);
  const { action, filter: criteria, dry_run: isDry = false, pace = DEFAULT_PACE, reason } = request.body;
  const author = authorOf(request, reason);
  if (isDry) return preview(context, { action, criteria });
  const view = await beginBulk(context, { action, criteria }, pace, author);
  reply.code(202).header('location', `/orders/bulk/${view.bulk_id}`);
  return view;
}

async function preview(context: GatewayContext, asked: BulkRequest): Promise<BulkPreviewJson> {
  const { action, criteria } = asked;
  const { matching, isMore, missing, counts } = await countMatching(context, asked);
  const { orders: sample } = await readOrderPage(context, {
    warehouses: counts.map(({ warehouse }) => warehouse),
    filter: bulkFilterOf(action, criteria),
    ...{ query: { limit: String(SAMPLE) }, scope: '', withSteps: false },
  });
  return {
    action,
    filter: criteria,
    matching,
    matching_is_lower_bound: isMore,
    counted_at_most: COUNTED_AT_MOST,
    sample,
    ...(missing.length > 0 ? { missing_warehouses: missing } : {}),
  };
}

function bulkIdOf(text: string): string {
  if (isUuid(text)) return text.toLowerCase();
  throw new ConveyorError('invalid-request', `${JSON.stringify(text.slice(0, 100))} is no id of a bulk operation; a UUID is expected`);
}
