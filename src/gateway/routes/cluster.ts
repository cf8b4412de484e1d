import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import type { NodeWish, Store } from '#engine/store.ts';
import { NoQuery, OrderParams, responses } from '../api.ts';
import { ClusterView, type NodeJson, NodeView, ReasonBody, type ReasonJson, TransferAnswer, TransferBody } from '../api-cluster.ts';
import { lookAt, nodesOf, viewCluster } from '../cluster-view.ts';
import { authorOf, type GatewayContext, requireOperator } from '../context.ts';
import { nodeIdOf } from '../node-id.ts';

/** Seeing and steering nodes: `/diagnostic/cluster`, `/service/transfer`, `/nodes/{id}/drain|stop|resume`. */
export function cluster(app: FastifyInstance, context: GatewayContext): void {
  const viewSchema = {
    summary: 'The nodes, who leads them, and how they are',
    querystring: NoQuery,
    response: responses({ 200: ClusterView }, ['unauthorized', 'forbidden']),
  };
  app.get('/diagnostic/cluster', { schema: viewSchema, config: { openInDevelopment: true } }, (request) => {
    if (request.principal) requireOperator(request);
    return viewCluster(context.warehouses.stores, context.clock);
  });

  const transferSchema = {
    summary: "Hand a node's orders to the others",
    body: TransferBody,
    querystring: NoQuery,
    response: responses({ 200: TransferAnswer }, [
      'invalid-request',
      'unauthorized',
      'forbidden',
      'node-not-found',
      'warehouse-unavailable',
    ]),
  };
  app.post<{ Body: ReasonJson & { service_id: string } }>('/service/transfer', { schema: transferSchema }, (request) =>
    transfer(context, request),
  );

  for (const wish of ['drain', 'stop', 'resume'] as const) {
    const schema = {
      summary: { drain: 'Let a node take nothing new', stop: 'Let a node leave in good order', resume: 'Let a drained node go on' }[wish],
      params: OrderParams,
      body: ReasonBody,
      querystring: NoQuery,
      response: responses({ 202: NodeView }, [
        ...(['invalid-request', 'unauthorized', 'forbidden', 'node-not-found', 'node-not-running', 'warehouse-unavailable'] as const),
      ]),
    };
    app.post<{ Params: { id: string }; Body: ReasonJson }>(`/nodes/:id/${wish}`, { schema }, (request, reply) =>
      steer(context, request, reply, wish === 'resume' ? undefined : wish),
    );
  }
}

async function transfer(context: GatewayContext, request: FastifyRequest<{ Body: ReasonJson & { service_id: string } }>): Promise<object> {
  requireOperator(request);
  const nodeId = nodeIdOf(request.body.service_id, 'service_id', '/service_id');
  const author = authorOf(request, request.body.reason);
  for (const store of await storesKnowing(context, nodeId)) {
    const verdict = await store.operations.transferNode(nodeId, author);
    if (verdict.outcome === 'unknown') continue;
    const orders = verdict.sessions.reduce((sum, { handedOver }) => sum + handedOver, 0);
    if (orders > 0) await store.wakeNodes(orders);
    return { current_service_id: context.identity.serviceId, transferred_service_id: nodeId, orders };
  }
  throw unknownNode(nodeId);
}

async function steer(
  context: GatewayContext,
  request: FastifyRequest<{ Params: { id: string }; Body: ReasonJson }>,
  reply: FastifyReply,
  wish: NodeWish | undefined,
): Promise<NodeJson> {
  requireOperator(request);
  const nodeId = nodeIdOf(request.params.id, 'the id in the path', '/id');
  const author = authorOf(request, request.body.reason);
  const stores = await storesKnowing(context, nodeId);
  for (const store of stores) {
    const sessions = await store.operations.steerNode(nodeId, wish, author);
    const node = await readNode(context, store, nodeId, sessions[0]);
    if (!node) continue;
    reply.code(202);
    return node;
  }
  if (stores.length === 0) throw unknownNode(nodeId);
  throw new ConveyorError('node-not-running', `node ${nodeId} is not running: none of its sessions is alive`);
}

async function readNode(context: GatewayContext, store: Store, nodeId: string, session: number | undefined): Promise<NodeJson | undefined> {
  if (session === undefined) return undefined;
  const report = await lookAt(store, context.clock);
  const nodes = nodesOf(report, store.warehouse.name).filter((node) => node.node_id === nodeId);
  return nodes.find((node) => node.session === session) ?? nodes[0];
}

/** Warehouses in which the node is, or was within the hour. One that does not answer may know it: then the request fails. */
async function storesKnowing({ warehouses, clock }: GatewayContext, nodeId: string): Promise<Store[]> {
  const reports = await Promise.all(warehouses.stores.map((store) => lookAt(store, clock)));
  const knowing = warehouses.stores.filter((_, index) => reports[index]?.sessions.some((session) => session.nodeId === nodeId));
  const silent = warehouses.stores.filter((_, index) => reports[index] === undefined);
  if (knowing.length === 0 && silent.length > 0) {
    const names = silent.map(({ warehouse }) => warehouse.name).join(', ');
    throw new ConveyorError('warehouse-unavailable', `no warehouse that answers knows node ${nodeId}; ${names} did not answer`);
  }
  return knowing;
}

function unknownNode(nodeId: string): ConveyorError {
  return new ConveyorError('node-not-found', `no warehouse knows a node ${nodeId}; GET /diagnostic/cluster lists them`);
}
