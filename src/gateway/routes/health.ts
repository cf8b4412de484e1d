import type { FastifyInstance, FastifyReply } from 'fastify';
import { formatTime } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import type { Store, WarehouseLoad } from '#engine/store.ts';
import type { GatewayContext } from '../context.ts';

const FRESH_FOR_MS = 1_000;
const TIMEOUT_MS = 1_000;

/** `/health`, `/readyz`, `/livez` and `/diagnostic/heartbeat`: they need no token. */
export function health(app: FastifyInstance, context: GatewayContext): void {
  const { clock, routing, identity } = context;
  const probes = routing.stores.map((store) => new LoadProbe(store, clock));

  const answer = async (reply: FastifyReply): Promise<unknown> => {
    const warehouses = await Promise.all(probes.map((probe) => probe.report()));
    const up = warehouses.filter(({ status }) => status === 'OK').length;
    const answering = warehouses.filter(({ status }) => status !== 'unavailable').length;
    reply.code(answering === 0 ? 503 : 200);
    if (answering === 0) reply.header('retry-after', '1');
    return {
      status: answering === 0 ? 'unavailable' : up === warehouses.length ? 'OK' : 'degraded',
      warehouses,
      generated_at: formatTime(clock.now()),
    };
  };
  const open = (summary: string): object => ({ config: { public: true }, schema: { summary } });
  app.get('/health', open("Each warehouse's health, load and nodes"), (_request, reply) => answer(reply));
  app.get('/readyz', open('Whether orders can be accepted'), (_request, reply) => answer(reply));
  app.get('/livez', open('Whether this process turns'), () => ({ status: 'OK' }));
  app.get('/diagnostic/heartbeat', open('Who answers here'), () => ({
    service_name: identity.serviceName,
    service_id: identity.serviceId,
    version: identity.version,
    status: 'OK',
    generated_at: formatTime(clock.now()),
  }));
}

interface WarehouseHealth {
  name: string;
  /** `no_nodes`: it accepts, but nothing works its orders. */
  status: 'OK' | 'no_nodes' | 'unavailable';
  orders?: { queued: number; running: number };
  nodes?: number;
  slots?: number;
  busy?: number;
}

/** One look at a warehouse serves everyone who asks within a second; a warehouse that hangs holds nobody up for longer. */
class LoadProbe {
  private readonly store: Store;
  private readonly clock: Clock;
  private latest: Promise<WarehouseHealth> | undefined;
  private freshUntil = 0;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  report(): Promise<WarehouseHealth> {
    if (!this.latest || this.clock.monotonic() >= this.freshUntil) {
      this.freshUntil = this.clock.monotonic() + FRESH_FOR_MS;
      this.latest = this.look();
    }
    return this.latest;
  }

  private async look(): Promise<WarehouseHealth> {
    const { name } = this.store.warehouse;
    const late = Promise.withResolvers<undefined>();
    const timer = this.clock.after(TIMEOUT_MS, () => late.resolve(undefined));
    try {
      const load = await Promise.race([this.store.readLoad(), late.promise]);
      return load ? healthOf(name, load) : { name, status: 'unavailable' };
    } catch {
      return { name, status: 'unavailable' };
    } finally {
      timer.cancel();
    }
  }
}

function healthOf(name: string, load: WarehouseLoad): WarehouseHealth {
  return {
    name,
    status: load.liveNodes > 0 ? 'OK' : 'no_nodes',
    orders: { queued: load.queued, running: load.running },
    nodes: load.liveNodes,
    slots: load.slots,
    busy: load.busy,
  };
}
