import type { FastifyInstance } from 'fastify';
import { formatTime } from '#domain/time.ts';
import type { Intervention } from '#engine/operation-store.ts';
import { responses } from '../api.ts';
import { AuditPage, AuditQuery } from '../api-cluster.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import { mergeNewest, parseLimit } from '../pages.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

const SCOPE = 'audit';

interface Query {
  limit?: string;
  cursor?: string;
}

/** `GET /audit`: what was done by hand, newest first, over all warehouses. */
export function audit(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'What was done by hand: who, what, when, why',
    querystring: AuditQuery,
    response: responses({ 200: AuditPage }, ['invalid-request', 'invalid-cursor', 'unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  app.get<{ Querystring: Query }>('/audit', { schema }, (request) => {
    requireOperator(request);
    return readAudit(context.warehouses.all, request.query);
  });
}

async function readAudit(warehouses: readonly Warehouse[], { limit: limitText, cursor }: Query): Promise<object> {
  const limit = parseLimit(limitText);
  const page = { limit: limit + 1, ...(cursor === undefined ? {} : { beforeId: decodeCursor(cursor, SCOPE) }) };
  const { shown, hasMore, missing } = await mergeNewest(warehouses, limit, ({ store }) => store.operations.listInterventions(page));
  return {
    entries: shown.map(({ entry, warehouse }) => viewOf(entry, warehouse.name)),
    has_more: hasMore,
    ...(hasMore ? { next_cursor: encodeCursor(shown.at(-1)?.entry.id ?? '', SCOPE) } : {}),
    ...(missing.length > 0 ? { missing_warehouses: missing } : {}),
  };
}

function viewOf({ id, at, actor, action, target, reason, detail }: Intervention, warehouse: string): object {
  return {
    id,
    at: formatTime(at),
    actor,
    action,
    target,
    ...(reason === null ? {} : { reason }),
    ...(detail === null ? {} : { detail }),
    warehouse,
  };
}
