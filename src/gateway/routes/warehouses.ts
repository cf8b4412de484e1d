import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { newOrderId } from '#domain/ids.ts';
import { formatTime } from '#domain/time.ts';
import type { WarehouseFlag } from '#engine/peer-store.ts';
import { NoQuery, responses } from '../api.ts';
import { ReasonBody, type ReasonJson } from '../api-cluster.ts';
import { type WarehouseJson, WarehouseList, WarehouseParams, WarehouseView } from '../api-warehouses.ts';
import { authorOf, type GatewayContext, requireOperator } from '../context.ts';
import { loadOf } from '../warehouses/routing.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { healthOf } from './health.ts';

type FlagRequest = FastifyRequest<{ Params: { name: string }; Body: ReasonJson }>;

/** `GET /warehouses`, and taking one out of routing and back. */
export function warehouses(app: FastifyInstance, context: GatewayContext): void {
  const listSchema = {
    summary: 'The warehouses: health, load, backlog',
    querystring: NoQuery,
    response: responses({ 200: WarehouseList }, ['unauthorized', 'forbidden']),
  };
  app.get('/warehouses', { schema: listSchema }, async (request) => {
    requireOperator(request);
    return {
      warehouses: context.warehouses.all.map((warehouse) => viewOf(context, warehouse)),
      generated_at: formatTime(context.clock.now()),
    };
  });

  for (const [verb, disabled] of [
    ['disable', true],
    ['enable', false],
  ] as const) {
    const schema = {
      summary: disabled ? 'Let a warehouse get no new orders; what it has goes on' : 'Let a disabled warehouse get new orders again',
      params: WarehouseParams,
      body: ReasonBody,
      querystring: NoQuery,
      response: responses({ 200: WarehouseView }, [
        ...(['invalid-request', 'unauthorized', 'forbidden', 'warehouse-not-found', 'warehouse-unavailable'] as const),
      ]),
    };
    app.post<{ Params: { name: string }; Body: ReasonJson }>(`/warehouses/:name/${verb}`, { schema }, (request) =>
      setFlag(context, request, disabled),
    );
  }
}

/** Written to every warehouse that answers; the others learn of it when they are back. */
async function setFlag(context: GatewayContext, request: FlagRequest, disabled: boolean): Promise<WarehouseJson> {
  requireOperator(request);
  const warehouse = context.warehouses.require(request.params.name);
  const author = authorOf(request, request.body.reason);
  const { clock } = context;
  const pulses = await Promise.allSettled(context.warehouses.here.map(({ store }) => store.peers.readPulse()));
  const known = pulses
    .flatMap((pulse) => (pulse.status === 'fulfilled' ? pulse.value.flags : []))
    .filter(({ name }) => name === warehouse.name);
  const version = Math.max(0, ...known.map((flag) => flag.version)) + 1;
  const { actor: changedBy, reason = null } = author;
  const flag: WarehouseFlag = { name: warehouse.name, disabled, version, changedAt: clock.now(), changedBy, reason };
  // Everywhere the same entry, so that the audit shows it once.
  const entryId = newOrderId(0, clock.now(), clock.entropy());
  const action = `warehouse.${disabled ? 'disable' : 'enable'}`;
  const written = await Promise.allSettled(
    context.warehouses.here.map(async ({ store, watch }) => {
      await store.operations.recordIntervention(action, warehouse.name, author, entryId);
      await store.peers.importShared({ tokens: [], flags: [flag], settings: [] });
      await watch.refresh();
    }),
  );
  if (!written.some(({ status }) => status === 'fulfilled'))
    throw new ConveyorError('warehouse-unavailable', 'no warehouse answers, so nothing could be written down');
  return viewOf(context, warehouse);
}

function viewOf(context: GatewayContext, warehouse: Warehouse): WarehouseJson {
  const { name, watch } = warehouse;
  const candidate = context.warehouses.candidateOf(warehouse);
  const flag = context.warehouses.flagOf(name);
  const { latest } = watch;
  const load = loadOf(candidate);
  return {
    ...healthOf(context, warehouse),
    region: name,
    fallback: [...(context.fallback.get(name) ?? [])],
    workflow: context.workflowOf(name).name,
    ...(latest && Number.isFinite(load) ? { load: Number(load.toFixed(2)) } : {}),
    ...(flag?.disabled
      ? { disabled: { by: flag.changedBy, at: formatTime(flag.changedAt), ...(flag.reason === null ? {} : { reason: flag.reason }) } }
      : {}),
    ...(latest ? { gate: { open: latest.gate.open, compared: latest.gate.compared }, open_conflicts: latest.openConflicts } : {}),
  };
}
