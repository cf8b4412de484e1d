import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import type { Order } from '#domain/order.ts';
import { MAX_BODY_BYTES } from '#domain/order-limits.ts';
import { DEFAULT_REBALANCE_AT } from '#domain/routing.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import type { Workflow } from '#engine/workflow.ts';
import { Authenticator, namesPrincipal, type Principal, refuseForeignHost, refuseForeignSite, refuseJoinToken, tokenOf } from './auth.ts';
import { readJsonBodies, refuseEncodedBody } from './body.ts';
import { BulkWorkers } from './bulk/worker.ts';
import { ClusterLooks } from './cluster-view.ts';
import type { GatewayContext } from './context.ts';
import { EventStreams } from './event-stream.ts';
import { OrderGenerator } from './generator/generator.ts';
import { LiveEvents } from './live/live-events.ts';
import { Pressure } from './pressure.ts';
import { handleClientError, handleError, sendProblem, toConveyorError } from './problem.ts';
import { audit } from './routes/audit.ts';
import { bulk } from './routes/bulk.ts';
import { cancelOrder } from './routes/cancel-order.ts';
import { cluster } from './routes/cluster.ts';
import { clusterJoin, type JoinOffer } from './routes/cluster-join.ts';
import { conflicts } from './routes/conflicts.ts';
import { consolePages } from './routes/console.ts';
import { describeRoutes, documents } from './routes/documents.ts';
import { events } from './routes/events.ts';
import { generator } from './routes/generator.ts';
import { health } from './routes/health.ts';
import { metrics } from './routes/metrics.ts';
import { oldClients } from './routes/old-clients.ts';
import { orderEvents } from './routes/order-events.ts';
import { readOrders } from './routes/read-orders.ts';
import { repairOrder } from './routes/repair-order.ts';
import { session } from './routes/session.ts';
import { statistics } from './routes/statistics.ts';
import { submitOrder } from './routes/submit-order.ts';
import { warehouses } from './routes/warehouses.ts';
import { webhooks } from './routes/webhooks.ts';
import { SECURITY_HEADERS } from './security-headers.ts';
import { gatewayServices } from './services.ts';
import { UnusedSockets } from './unused-sockets.ts';
import { OrderPresenter } from './view.ts';
import { KeyComparison } from './warehouses/compare-keys.ts';
import { Placement } from './warehouses/placement.ts';
import type { RoutingSettings } from './warehouses/routing.ts';
import { keepSharing, shareRecords } from './warehouses/shared-records.ts';
import { type Warehouse, Warehouses } from './warehouses/warehouses.ts';

export interface GatewayOptions {
  /** At least one; they need not answer yet. */
  warehouses: readonly Store[];
  /** Why a warehouse's database cannot be used yet (it may have no schema); `undefined`: it can. Absent: all can. */
  readiness?: (store: Store) => string | undefined;
  registry: WorkflowRegistry;
  /** What new orders go through, in its newest version. */
  workflowName: string;
  /** The same for warehouses that have one of their own. */
  workflowsByWarehouse?: ReadonlyMap<string, string>;
  routing?: Partial<RoutingSettings>;
  /** The execution price that an order will have, where its workflow computes one that is known beforehand. */
  expectedPriceOf?: (order: Order) => string | undefined;
  /** What is wrong with the URL of a webhook. Absent: nobody delivers, so there are none. */
  webhookUrlFault?: (url: string) => string | undefined;
  clock: Clock;
  log: Log;
  serviceId: string;
  serviceName: string;
  version: string;
  /** The tokens `user` and `operator` exist, and only requests to this machine's own names are answered. */
  developmentTokens: boolean;
  /** Per warehouse; one more order is refused with 503. */
  maxWaitingOrders: number;
  acceptBatch?: number;
  /** Absent: nodes cannot join here. */
  join?: JoinOffer;
  /** What the build of the console wrote. Absent: `/` says that it is not built. */
  consoleFolder?: string | undefined;
}

const MAX_HEADER_BYTES = 16 * 1024;
const REQUEST_TIMEOUT_MS = 30_000;

/** The HTTP front, ready to listen. Closing it ends all streams and lets requests under way finish. */
export async function buildGateway(options: GatewayOptions): Promise<FastifyInstance> {
  const { log } = options;
  const context = buildContext(options);
  await context.warehouses.start();
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Without a Host header Node would answer by itself, not with a problem.
    http: { maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false },
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allErrors: true } },
    clientErrorHandler: handleClientError,
    // No hook runs before these.
    frameworkErrors: (error, _request, reply) => void sendProblem(reply.headers(SECURITY_HEADERS), toConveyorError(error)),
    // Our own refusal is a problem like any other (see guardRequests).
    return503OnClosing: false,
  });
  // An expectation that is not known may be ignored (RFC 9110, 10.1.1); Node's own 417 has no body.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.decorateRequest('principal', undefined);
  readJsonBodies(app);
  new Pressure(options.maxWaitingOrders).guard(app.server);
  guardRequests(app, context);
  app.setErrorHandler(handleError(log));
  answerUnknownRoutes(app);
  const unusedSockets = new UnusedSockets(app.server, options.clock);
  app.addHook('preClose', async () => {
    for (const streams of [context.streams, context.live]) streams.close();
    unusedSockets.endSoon();
  });
  const closing = new AbortController();
  app.addHook('onClose', async () => {
    unusedSockets.stop();
    closing.abort();
    context.generator.stop();
    await context.bulk.stop();
    context.warehouses.stop();
  });
  context.generator.start();
  context.bulk.soon();
  void keepSharing(context.warehouses, options.clock, log, closing.signal);
  await addRoutes(app, context, options);
  return app;
}

async function addRoutes(app: FastifyInstance, context: GatewayContext, options: GatewayOptions): Promise<void> {
  await describeRoutes(app, options.version);
  submitOrder(app, context);
  readOrders(app, context);
  oldClients(app, context);
  orderEvents(app, context);
  events(app, context);
  cancelOrder(app, context);
  repairOrder(app, context);
  bulk(app, context);
  cluster(app, context);
  warehouses(app, context);
  conflicts(app, context);
  audit(app, context);
  health(app, context);
  metrics(app, context);
  statistics(app, context);
  generator(app, context);
  session(app, context);
  if (options.webhookUrlFault) webhooks(app, context);
  if (options.join) clusterJoin(app, context, options.join);
  app.decorate('services', gatewayServices(context));
  await documents(app);
  await consolePages(app, context, options.consoleFolder);
}

function buildContext(options: GatewayOptions): GatewayContext {
  const { clock, log, registry, workflowName, workflowsByWarehouse, readiness = () => undefined } = options;
  const routing: RoutingSettings = { fallback: new Map(), rebalanceAt: DEFAULT_REBALANCE_AT, defaultRegion: undefined, ...options.routing };
  const warehouses: Warehouses = new Warehouses({
    ...options,
    stores: options.warehouses,
    readiness,
    onReturn: (warehouse) => welcomeBack(warehouse, warehouses, log),
    onLook: (warehouse) => void comparison.follow(warehouse),
  });
  const comparison = new KeyComparison(warehouses, log);
  const workflowOf = (warehouse: string): Workflow => registry.latest(workflowsByWarehouse?.get(warehouse) ?? workflowName);
  const presenter = new OrderPresenter(registry);
  const placement = new Placement({ warehouses, routing, clock, workflowOf });
  return {
    clock,
    log,
    registry,
    workflowOf,
    identity: { serviceId: options.serviceId, serviceName: options.serviceName, version: options.version },
    warehouses,
    authenticator: new Authenticator(warehouses.stores, clock, options.developmentTokens),
    developmentTokens: options.developmentTokens,
    placement,
    generator: new OrderGenerator({ warehouses, placement, clock, log, serviceId: options.serviceId }),
    fallback: routing.fallback,
    webhookUrlFault: options.webhookUrlFault ?? (() => undefined),
    expectedPriceOf: options.expectedPriceOf ?? (() => undefined),
    bulk: new BulkWorkers({ warehouses, registry, presenter, clock, log, serviceId: options.serviceId }),
    presenter,
    looks: new ClusterLooks(clock),
    streams: new EventStreams(clock, log),
    live: new LiveEvents(clock, log),
  };
}

/** What has to be done before anyone uses a warehouse that was away: it knows the others, and all know the same of the cluster. */
async function welcomeBack(warehouse: Warehouse, warehouses: Warehouses, log: Log): Promise<void> {
  const known = await warehouse.bare.peers.addPeers(warehouses.names.filter((name) => name !== warehouse.name));
  const strangers = known.filter((name) => !warehouses.get(name));
  if (strangers.length > 0)
    log.warn(
      { warehouse: warehouse.name, unknown: strangers },
      'other gateways know warehouses that this one does not: give all the same list, or forget what is gone for good (conveyor warehouses forget)',
    );
  await shareRecords([warehouse.bare, ...warehouses.here.map(({ store }) => store)]);
}

/** What every request meets before its body is read: headers of ours, the host it names, its encoding, its token. */
function guardRequests(app: FastifyInstance, { authenticator, developmentTokens }: GatewayContext): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(SECURITY_HEADERS);
    try {
      if (closing) throw new ConveyorError('shutting-down', 'this gateway takes no new requests any more');
      if (request.headers.host === undefined) throw new ConveyorError('invalid-request', 'the request has no Host header');
      if (developmentTokens) refuseForeignHost(request);
      refuseEncodedBody(request);
      const { public: isPublic, openInDevelopment } = request.routeOptions.config;
      if (isPublic || request.is404) return done();
      if (openInDevelopment && developmentTokens && !namesPrincipal(request)) {
        refuseForeignSite(request);
        return done();
      }
      admit(request, authenticator.authenticate(tokenOf(request)), done);
    } catch (error) {
      done(error as Error);
    }
  });
}

function admit(request: FastifyRequest, principal: Principal | Promise<Principal>, done: (error?: Error) => void): void {
  if (!(principal instanceof Promise)) {
    refuseJoinToken(principal);
    request.principal = principal;
    done();
    return;
  }
  principal
    .then((found) => {
      refuseJoinToken(found);
      request.principal = found;
    })
    .then(() => done(), done);
}

/** 404, or 405 naming the methods that the path has. */
function answerUnknownRoutes(app: FastifyInstance): void {
  const known: { methods: string[]; path: RegExp }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    known.push({
      methods: [method].flat(),
      path: new RegExp(
        `^${url
          .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
          .replaceAll('*', '.*')
          .replaceAll(/:\w+/g, '[^/]+')}$`,
      ),
    });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = [...new Set(known.filter((route) => route.path.test(path)).flatMap((route) => route.methods))];
    if (allowed.length === 0)
      return sendProblem(reply, new ConveyorError('not-found', `there is nothing at ${request.method} ${path.slice(0, 200)}`));
    reply.header('allow', allowed.join(', '));
    return sendProblem(reply, new ConveyorError('method-not-allowed', `${request.method} is not possible here; ${allowed.join(', ')} is`));
  });
}
