import type { FastifyInstance, FastifyReply } from 'fastify';
import { formatTime } from '#domain/time.ts';
import { HealthView, type WarehouseHealthJson } from '../api-warehouses.ts';
import type { GatewayContext } from '../context.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

/** `/health`, `/readyz`, `/livez` and `/diagnostic/heartbeat`: they need no token, and ask no database. */
export function health(app: FastifyInstance, context: GatewayContext): void {
  const { clock, warehouses, identity } = context;

  const answer = (reply: FastifyReply): unknown => {
    const found = warehouses.all.map((warehouse) => healthOf(context, warehouse));
    const up = found.filter(({ status }) => status === 'OK').length;
    const answering = found.filter(({ status }) => status !== 'unavailable').length;
    reply.code(answering === 0 ? 503 : 200);
    if (answering === 0) reply.header('retry-after', '1');
    return {
      status: answering === 0 ? 'unavailable' : up === found.length ? 'OK' : 'degraded',
      orders: warehouses.counts,
      warehouses: found,
      generated_at: formatTime(clock.now()),
    };
  };
  const open = (summary: string): object => ({ config: { public: true }, schema: { summary } });
  const shape = (summary: string): object => ({
    config: { public: true },
    schema: { summary, response: { 200: HealthView, 503: HealthView } },
  });
  app.get('/health', shape("Each warehouse's health, load and nodes"), (_request, reply) => reply.send(answer(reply)));
  app.get('/readyz', shape('Whether orders can be accepted'), (_request, reply) => reply.send(answer(reply)));
  app.get('/livez', open('Whether this process turns'), () => ({ status: 'OK' }));
  app.get('/diagnostic/heartbeat', open('Who answers here'), () => ({
    service_name: identity.serviceName,
    service_id: identity.serviceId,
    version: identity.version,
    status: 'OK',
    generated_at: formatTime(clock.now()),
  }));
}

/** As of the latest look, half a second ago at most. */
export function healthOf({ warehouses }: GatewayContext, warehouse: Warehouse): WarehouseHealthJson {
  const { name, watch, presence } = warehouse;
  const { health: status, trouble } = warehouses.candidateOf(warehouse);
  const { latest, counts, awaySince } = watch;
  const because = presence.awayBecause ?? trouble;
  return {
    name,
    status,
    ...(because === undefined ? {} : { because }),
    ...(awaySince === undefined ? {} : { away_since: formatTime(awaySince) }),
    ...(counts ? { orders: { queued: counts.queued, running: counts.running } } : {}),
    ...(latest ? { nodes: latest.liveNodes, slots: latest.slots, busy: latest.busy } : {}),
  };
}
