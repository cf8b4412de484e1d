import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { DEFAULT_PACE_MS, PACE_RANGE, parsePace } from '#domain/generator-pace.ts';
import { formatDuration, formatTime } from '#domain/time.ts';
import { sharedIntervention } from '#engine/intervention.ts';
import { NoQuery, responses } from '../api.ts';
import { type GeneratorJson, GeneratorStart, GeneratorView } from '../api-generator.ts';
import { type GatewayContext, requireOperator } from '../context.ts';

type StartRequest = FastifyRequest<{ Body: Static<typeof GeneratorStart> }>;

/** The order generator: one in the cluster, whichever gateway is asked. */
export function generator(app: FastifyInstance, context: GatewayContext): void {
  const shape = {
    querystring: NoQuery,
    response: responses({ 200: GeneratorView }, ['unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  const startSchema = {
    ...shape,
    summary: 'Let an order be placed at a steady pace',
    body: GeneratorStart,
    response: responses({ 200: GeneratorView }, ['invalid-request', 'unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  app.post<{ Body: Static<typeof GeneratorStart> }>('/generator/start', { schema: startSchema }, (request: StartRequest) => {
    requireOperator(request);
    return start(context, request, everyOf(request.body.every));
  });
  app.post('/generator/stop', { schema: { ...shape, summary: 'Let no more orders be placed by itself' } }, (request) => {
    requireOperator(request);
    return stop(context, request);
  });
  app.get('/generator', { schema: { ...shape, summary: 'Whether orders are generated, how often, and by whom' } }, (request) => {
    requireOperator(request);
    return view(context);
  });

  // As the old service had them: links. Browsers of other sites are kept away where no token is asked for.
  const config = { openInDevelopment: true };
  const old = (summary: string) => ({ schema: { ...shape, summary: `${summary} (for old clients)` }, config });
  app.get('/start_orders', old('Start the generator at two seconds'), (request) => {
    if (request.principal) requireOperator(request);
    return start(context, request, DEFAULT_PACE_MS);
  });
  for (const path of ['/stop_orders', '/stop_order'])
    app.get(path, old('Stop the generator'), (request) => {
      if (request.principal) requireOperator(request);
      return stop(context, request);
    });
}

function everyOf(text: string | undefined): number {
  const ms = text === undefined ? DEFAULT_PACE_MS : parsePace(text);
  if (ms !== undefined) return ms;
  throw new ConveyorError('invalid-request', `every is ${JSON.stringify(text)}; a duration ${PACE_RANGE} is expected, such as 2s`, {
    faults: [{ field: '/every', reason: `must be a duration ${PACE_RANGE}` }],
  });
}

/** Started again at the same pace, it goes on as it is. */
async function start(context: GatewayContext, request: FastifyRequest, everyMs: number): Promise<GeneratorJson> {
  const { generator: running, clock } = context;
  const before = running.state;
  if (!before?.running || before.every_ms !== everyMs) {
    await record(context, request, 'generator.start', formatDuration(everyMs));
    await running.change({ running: true, every_ms: everyMs, started_at: clock.now() }, nameOf(request));
  }
  return view(context);
}

async function stop(context: GatewayContext, request: FastifyRequest): Promise<GeneratorJson> {
  const { generator: running } = context;
  const before = running.state;
  if (before?.running) {
    await record(context, request, 'generator.stop', 'generator');
    await running.change({ ...before, running: false }, nameOf(request));
  }
  return view(context);
}

/** In every warehouse that answers. */
async function record({ warehouses, clock }: GatewayContext, request: FastifyRequest, action: string, target: string): Promise<void> {
  const author = { actor: nameOf(request), reason: undefined };
  const recordIn = sharedIntervention(clock, { action, target, author });
  await Promise.allSettled(warehouses.here.map(({ store }) => recordIn(store)));
}

function nameOf(request: FastifyRequest): string {
  return request.principal?.name ?? 'development';
}

async function view({ generator: running, clock }: GatewayContext): Promise<GeneratorJson> {
  const { state, setting, untilNextMs } = running;
  if (!state || !setting) return { running: false };
  const { holder, placed, last_order_id, last_at } = await running.readProgress();
  return {
    running: state.running,
    every: formatDuration(state.every_ms),
    started_at: formatTime(state.started_at),
    changed_by: setting.changedBy,
    ...(holder === undefined ? {} : { holder }),
    ...(placed === undefined ? {} : { placed }),
    ...(last_order_id === undefined ? {} : { last_order_id }),
    ...(last_at === undefined ? {} : { last_at }),
    ...(untilNextMs === undefined ? {} : { next_at: formatTime(clock.now() + untilNextMs) }),
  };
}
