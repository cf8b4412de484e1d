import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { ConveyorError, messageOf } from '#domain/errors.ts';
import { problemOf } from '#domain/problem.ts';
import type { Clock } from '#engine/clock.ts';
import type { Store } from '#engine/store.ts';
import type { RunningNode } from './node.ts';

export interface OpsPortOptions {
  host: string;
  /** `undefined`: 8765, or the next free one. */
  port: number | undefined;
  clock: Clock;
  version: string;
}

/** What the port tells of and may stop. */
export interface Operated {
  node: RunningNode;
  store: Store;
  /** Leaves in good order, as an operator's word. */
  stop: () => void;
}

/** A node's operations port: it listens before the node begins, so that its address is known to the cluster. */
export interface OpsPort {
  readonly port: number;
  /** What the cluster shows as the node's address. */
  readonly address: string;
  operate(operated: Operated): void;
  close(): Promise<void>;
}

export const FIRST_OPS_PORT = 8765;
const PORTS_TO_TRY = 200;
const DATABASE_TIMEOUT_MS = 1_000;

/** Rejects when a port that was asked for is taken (`EADDRINUSE`), or none of the usual ones is free. */
export async function openOpsPort(options: OpsPortOptions): Promise<OpsPort> {
  const state: { operated: Operated | undefined } = { operated: undefined };
  const ports = options.port === undefined ? Array.from({ length: PORTS_TO_TRY }, (_, index) => FIRST_OPS_PORT + index) : [options.port];
  for (const port of ports) {
    const app = buildOpsPort(options, () => state.operated);
    try {
      await app.listen({ host: options.host, port });
    } catch (error) {
      await app.close();
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE' && port !== ports.at(-1)) continue;
      throw error;
    }
    const bound = app.server.address();
    const actual = typeof bound === 'object' && bound ? bound.port : port;
    return {
      port: actual,
      address: `http://${options.host.includes(':') ? `[${options.host}]` : options.host}:${actual}`,
      operate(operated) {
        state.operated = operated;
      },
      close: async () => {
        app.server.closeAllConnections();
        await app.close();
      },
    };
  }
  throw new Error('assertion failed: there is at least one port to try');
}

function buildOpsPort({ clock, version }: OpsPortOptions, find: () => Operated | undefined): FastifyInstance {
  const app = Fastify({ forceCloseConnections: true });
  const startedAt = clock.monotonic();
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    refuseForeignSites(request);
  });
  app.setErrorHandler((error, _request, reply) => void sendProblem(reply, error));
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, new ConveyorError('not-found', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`)),
  );
  const operated = (): Operated => {
    const found = find();
    if (!found) throw new ConveyorError('warehouse-unavailable', 'the node is still starting');
    return found;
  };
  app.get('/command/stat', () => ({ ...describe(operated()), version, uptime_s: Math.round((clock.monotonic() - startedAt) / 1_000) }));
  app.get('/command/stop', (request) => {
    refuseFromAfar(request);
    const { node, stop } = operated();
    stop();
    return { node_id: node.nodeId, name: node.nodeName, status: 'stopping', busy: node.busy };
  });
  app.get('/Watchdog_Selfclosure', () => {
    const { node } = operated();
    if (node.isTurning) return { status: 'OK' };
    throw new ConveyorError('node-stuck', `node ${node.nodeName} has not ended a turn of its loop within its lease`);
  });
  app.get('/Watchdog_External', async () => {
    const { store } = operated();
    await probeDatabase(store, clock);
    return { status: 'OK', database: store.warehouse.name };
  });
  return app;
}

/** What the node did, by the names that operators' scripts know. */
function describe({ node, store }: Operated): Record<string, unknown> {
  const { stats } = node;
  return {
    node_id: node.nodeId,
    name: node.nodeName,
    session: node.session,
    warehouse: store.warehouse.name,
    is_leader: node.isLeader,
    draining: node.isDraining,
    liveness: node.liveness,
    slots: node.slots,
    busy: node.busy,
    queue_size: node.queueSize,
    pulled_orders: stats.pulledOrders,
    pulled_new_orders: stats.pulledNewOrders,
    pulled_zombie_orders: stats.pulledZombieOrders,
    pulled_timed_out_orders: stats.pulledTimedOutOrders,
    processed: stats.processed,
    process_completed: stats.processCompleted,
    process_failed: stats.processFailed,
    process_cancelled: stats.processCancelled,
    process_exceptions: stats.processExceptions,
    fenced_writes: stats.fencedWrites,
    abandoned_handlers: stats.abandonedHandlers,
    takeovers: stats.takeovers,
    handed_over: stats.handedOver,
  };
}

async function probeDatabase(store: Store, clock: Clock): Promise<void> {
  const { name } = store.warehouse;
  const late = Promise.withResolvers<never>();
  const timer = clock.after(DATABASE_TIMEOUT_MS, () =>
    late.reject(
      new ConveyorError('warehouse-unavailable', `the database of warehouse ${name} did not answer within ${DATABASE_TIMEOUT_MS} ms`),
    ),
  );
  try {
    await Promise.race([store.readOrders([]), late.promise]);
  } catch (error) {
    if (error instanceof ConveyorError) throw error;
    throw new ConveyorError('warehouse-unavailable', `the database of warehouse ${name} failed: ${messageOf(error)}`);
  } finally {
    timer.cancel();
  }
}

/** A page in somebody's browser must not reach this port: neither by a request of its own nor under a name that leads here. */
function refuseForeignSites(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (request.headers.origin !== undefined || (site !== undefined && site !== 'none' && site !== 'same-origin'))
    throw new ConveyorError('cross-site-request', 'the Origin or Sec-Fetch-Site header names another site');
  const host = request.headers.host ?? '';
  // A name may have been pointed here by somebody else, an address cannot be.
  if (/^(localhost|\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])(:\d{1,5})?$/i.test(host)) return;
  throw new ConveyorError(
    'host-not-allowed',
    `the Host header is ${JSON.stringify(host.slice(0, 100))}; an IP address or localhost is expected`,
  );
}

function refuseFromAfar(request: FastifyRequest): void {
  const from = request.socket.remoteAddress ?? '';
  if (/^(::ffff:)?127\./.test(from) || from === '::1') return;
  throw new ConveyorError('forbidden', `this call came from ${from}; a node is stopped from its own machine, or with conveyor nodes stop`);
}

function sendProblem(reply: FastifyReply, thrown: unknown): FastifyReply {
  const error = thrown instanceof ConveyorError ? thrown : new ConveyorError('internal', messageOf(thrown));
  const problem = problemOf(error);
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem);
}
