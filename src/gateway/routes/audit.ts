import type { FastifyInstance } from 'fastify';
import { formatTime } from '#domain/time.ts';
import type { Intervention } from '#engine/operation-store.ts';
import { responses } from '../api.ts';
import { AuditPage, AuditQuery } from '../api-cluster.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import { type PageQuery, readPage } from '../pages.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

/** `GET /audit`: what was done by hand, newest first, over all warehouses. */
export function audit(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'What was done by hand: who, what, when, why',
    querystring: AuditQuery,
    response: responses({ 200: AuditPage }, ['invalid-request', 'invalid-cursor', 'unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  app.get<{ Querystring: PageQuery }>('/audit', { schema }, (request) => {
    requireOperator(request);
    return readAudit(context.warehouses.all, request.query);
  });
}

async function readAudit(warehouses: readonly Warehouse[], query: PageQuery): Promise<object> {
  const { shown, about } = await readPage(warehouses, query, 'audit', ({ store }, page) => store.operations.listInterventions(page));
  return { entries: shown.map(({ entry, warehouse }) => viewOf(entry, warehouse.name)), ...about };
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
