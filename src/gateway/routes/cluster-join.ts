import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { findLeastServed } from '#engine/least-served.ts';
import type { Store } from '#engine/store.ts';
import type { Workflow } from '#engine/workflow.ts';
import { NoQuery, responses } from '../api.ts';
import { refuseForeignHost, refuseForeignSite, tokenOf } from '../auth.ts';
import type { GatewayContext } from '../context.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

/** What this gateway may give to a node that joins. */
export interface JoinOffer {
  /** By the name of the warehouse. */
  databases: ReadonlyMap<string, string>;
  /** The databases run on the gateway's own machine: a node reaches them under the name by which it reached the gateway. */
  databasesAreHere: boolean;
  /** Others than this machine reach the gateway: a join token is needed. */
  needsToken: boolean;
  /** The newest migration the gateway's databases have. */
  schema: string;
  /** Of the simulated steps, for nodes that were not told their own. */
  simulation: { stepDurationMs: number; failureRate: number };
}

const Name = Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$' });

const JoinBody = Type.Object(
  {
    node_name: Name,
    version: Type.String({ minLength: 1, maxLength: 64 }),
    schema: Type.String({ pattern: '^[0-9]{4}_[a-z0-9_]{1,60}$', description: 'the newest migration the node knows' }),
    workflows: Type.Array(
      Type.Object(
        { name: Name, version: Type.Integer({ minimum: 1 }), steps: Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 }) },
        { additionalProperties: false },
      ),
      { maxItems: 200 },
    ),
    warehouse: Type.Optional(Type.String({ minLength: 1, maxLength: 32 })),
  },
  { additionalProperties: false },
);

const JoinAnswer = Type.Object({
  warehouse: Type.String(),
  database_url: Type.String(),
  simulation: Type.Object({ step_duration_ms: Type.Number(), failure_rate: Type.Number() }),
});

type JoinRequest = Static<typeof JoinBody>;

/** `POST /cluster/join`: what a node needs to work for a warehouse, or why it cannot. */
export function clusterJoin(app: FastifyInstance, context: GatewayContext, offer: JoinOffer): void {
  const schema = {
    summary: 'Let a node join',
    description: 'Answers the database of the warehouse. Beyond loopback it needs a token with the role `join` or `operator`.',
    body: JoinBody,
    querystring: NoQuery,
    response: responses({ 200: JoinAnswer }, [
      'invalid-request',
      'unauthorized',
      'forbidden',
      'incompatible-node',
      'warehouse-unavailable',
    ]),
  };
  // It checks by itself: where it needs a token, that is one that is good for nothing else.
  app.post<{ Body: JoinRequest }>('/cluster/join', { schema, config: { public: true } }, async (request) => {
    await admitNode(context, offer, request);
    refuseOtherSchema(offer, request.body);
    const { name } = (await chooseWarehouse(context, request.body.warehouse)).warehouse;
    refuseOtherWorkflow(context.workflowOf(name), request.body);
    context.log.info({ node: request.body.node_name, version: request.body.version, warehouse: name }, 'a node joins');
    return {
      warehouse: name,
      database_url: databaseUrl(offer, name, request),
      simulation: { step_duration_ms: offer.simulation.stepDurationMs, failure_rate: offer.simulation.failureRate },
    };
  });
}

async function admitNode(context: GatewayContext, offer: JoinOffer, request: FastifyRequest): Promise<void> {
  refuseForeignSite(request);
  if (!offer.needsToken) return refuseForeignHost(request);
  const hashed = Buffer.from(hash('sha256', tokenOf(request), 'hex'), 'hex');
  const answers = await Promise.allSettled(context.warehouses.stores.map((store) => store.tokens.find([hashed])));
  const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : [])).filter((one) => one !== undefined);
  const token = found.some(({ revokedAt }) => revokedAt !== null) ? undefined : found[0];
  if (!token && answers.every(({ status }) => status === 'rejected'))
    throw new ConveyorError('warehouse-unavailable', 'no warehouse answers, so the token cannot be checked');
  if (!token)
    throw new ConveyorError('unauthorized', 'the join token is unknown or was revoked; conveyor token create --role join makes one');
  if (token.role === 'customer') throw new ConveyorError('forbidden', `the token of customer ${token.name} lets no node join`);
}

function refuseOtherSchema(offer: JoinOffer, { schema, version }: JoinRequest): void {
  if (schema === offer.schema) return;
  const [older, advice] =
    schema < offer.schema
      ? ['node', 'install the newer version on the node']
      : ['cluster', 'upgrade the gateways first, then run conveyor migrate'];
  throw new ConveyorError(
    'incompatible-node',
    `the node (version ${version}) knows the database schema ${schema}, the cluster has ${offer.schema}: the ${older} is older; ${advice}`,
  );
}

/** New orders begin with this workflow in its newest version: a node that does not know it as it is could only look on. */
function refuseOtherWorkflow(latest: Workflow, { workflows }: JoinRequest): void {
  const label = `workflow ${latest.name} version ${latest.version}`;
  const known = workflows.filter(({ name }) => name === latest.name);
  const same = known.find(({ version }) => version === latest.version);
  const steps = latest.steps.map((step) => step.name).join(', ');
  if (!same) {
    const has = known.length === 0 ? 'no version of it' : `version ${known.map(({ version }) => version).join(', ')}`;
    throw new ConveyorError(
      'incompatible-node',
      `new orders begin with ${label}, but the node knows ${has}: give it the same conveyor.config.ts`,
    );
  }
  if (same.steps.join(', ') !== steps)
    throw new ConveyorError('incompatible-node', `${label} has the steps ${steps} here, but ${same.steps.join(', ')} on the node`);
}

/** The one that was named, or the one with the fewest live slots among those that answer. */
async function chooseWarehouse({ warehouses }: GatewayContext, name: string | undefined): Promise<Store> {
  if (name !== undefined) return (warehouses.select(name)[0] as Warehouse).store;
  const fewest = await findLeastServed(warehouses.stores);
  if (fewest) return fewest;
  throw new ConveyorError('warehouse-unavailable', 'no warehouse answers');
}

function databaseUrl(offer: JoinOffer, warehouse: string, request: FastifyRequest): string {
  const url = new URL(offer.databases.get(warehouse) ?? '');
  const host = /^(\[[0-9a-f:.]+\]|[A-Za-z0-9._-]+)(:\d{1,5})?$/i.exec(request.headers.host ?? '')?.[1];
  if (offer.databasesAreHere && offer.needsToken && host) url.hostname = host;
  return url.href;
}
