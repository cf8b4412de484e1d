import type { FastifyInstance } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { formatTime } from '#domain/time.ts';
import type { Intervention, Store } from '#engine/store.ts';
import { DEFAULT_PAGE, MAX_PAGE, responses } from '../api.ts';
import { AuditPage, AuditQuery } from '../api-cluster.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';

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
    return readAudit(context.routing.stores, request.query);
  });
}

async function readAudit(stores: readonly Store[], { limit: limitText, cursor }: Query): Promise<object> {
  const limit = Number(limitText ?? DEFAULT_PAGE);
  if (limit < 1 || limit > MAX_PAGE) {
    throw new ConveyorError('invalid-request', `limit is ${limit}; 1 to ${MAX_PAGE} is expected`, {
      faults: [{ field: 'limit', reason: `must be 1 to ${MAX_PAGE}` }],
    });
  }
  const page = { limit: limit + 1, ...(cursor === undefined ? {} : { beforeId: decodeCursor(cursor, SCOPE) }) };
  const answers = await Promise.allSettled(stores.map((store) => store.operations.listInterventions(page)));
  const missing = stores.filter((_, index) => answers[index]?.status === 'rejected').map(({ warehouse }) => warehouse.name);
  const [failure] = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
  if (missing.length === stores.length) throw failure;
  const entries = answers
    .flatMap((answer, index) =>
      answer.status === 'fulfilled' ? answer.value.map((entry) => ({ entry, warehouse: (stores[index] as Store).warehouse.name })) : [],
    )
    // Ids are UUIDs of version 7: their order is that of time.
    .sort((a, b) => (a.entry.id < b.entry.id ? 1 : -1));
  const shown = entries.slice(0, limit);
  const hasMore = entries.length > limit;
  return {
    entries: shown.map(({ entry, warehouse }) => viewOf(entry, warehouse)),
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
