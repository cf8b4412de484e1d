import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { formatTime } from '#domain/time.ts';
import { sharedIntervention } from '#engine/intervention.ts';
import type { WarehouseFlag } from '#engine/peer-store.ts';
import { NoQuery, responses } from '../api.ts';
import { ReasonBody, type ReasonJson } from '../api-cluster.ts';
import { type WarehouseJson, WarehouseList, WarehouseParams, WarehouseView } from '../api-warehouses.ts';
import { authorOf, type GatewayContext, requireOperator } from '../context.ts';
import { loadOf } from '../warehouses/routing.ts';
import { NO_RECORDS, writeEverywhere } from '../warehouses/shared-records.ts';
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

  forgetRoute(app, context);
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

const ForgetAnswer = Type.Object({
  name: Type.String(),
  forgotten_by: Type.Array(Type.String(), { description: 'warehouses that knew it' }),
});

/** `POST /warehouses/{name}/forget`: one that was taken away for good. Until then the gates of the others wait for it. */
function forgetRoute(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'Let the others not wait for a warehouse that was taken away for good',
    params: WarehouseParams,
    body: ReasonBody,
    querystring: NoQuery,
    response: responses({ 200: ForgetAnswer }, [
      'invalid-request',
      'unauthorized',
      'forbidden',
      'warehouse-not-found',
      'warehouse-unavailable',
    ]),
  };
  app.post<{ Params: { name: string }; Body: ReasonJson }>('/warehouses/:name/forget', { schema }, (request) => forget(context, request));
}

async function forget({ warehouses, clock }: GatewayContext, request: FlagRequest): Promise<Static<typeof ForgetAnswer>> {
  requireOperator(request);
  const { name } = request.params;
  const author = authorOf(request, request.body.reason);
  if (warehouses.get(name)) {
    throw new ConveyorError(
      'invalid-request',
      `${name} is one of this gateway's warehouses; take it out of the list of all gateways first`,
      {
        faults: [{ field: 'name', reason: 'must not be one of the gateways’ warehouses' }],
      },
    );
  }
  const silent = warehouses.all.filter(({ presence }) => !presence.isHere);
  if (silent.length > 0) throw new ConveyorError('warehouse-unavailable', `${silent.map((one) => one.name).join(', ')} cannot be told now`);
  const forgottenBy: string[] = [];
  const record = sharedIntervention(clock, { action: 'warehouse.forget', target: name, author });
  for (const warehouse of warehouses.all) {
    if (!(await warehouse.store.peers.forgetPeer(name))) continue;
    await record(warehouse.store);
    forgottenBy.push(warehouse.name);
  }
  if (forgottenBy.length === 0)
    throw new ConveyorError('warehouse-not-found', `no warehouse waits for one called ${JSON.stringify(name.slice(0, 100))}`);
  return { name, forgotten_by: forgottenBy };
}

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
  const action = `warehouse.${disabled ? 'disable' : 'enable'}`;
  const record = sharedIntervention(clock, { action, target: warehouse.name, author });
  await writeEverywhere(context.warehouses, async ({ store, watch }) => {
    await record(store);
    await store.peers.importShared({ ...NO_RECORDS, flags: [flag] });
    await watch.refresh();
  });
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
