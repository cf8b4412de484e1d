import type { FastifyInstance, FastifyReply } from 'fastify';
import { type Static, Type } from 'typebox';
import { ConveyorError } from '#domain/errors.ts';
import { formatMillionths } from '#domain/money.ts';
import { responses } from '../api.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import { addPrices, averageOf, type PriceSums, pricesOf } from '../price-sums.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

const MetricsQuery = Type.Object(
  { format: Type.Optional(Type.Unsafe<'json' | 'prometheus'>({ type: 'string', enum: ['json', 'prometheus'] })) },
  { additionalProperties: false },
);

const MetricsView = Type.Object({
  TotalOrdersProcessed: Type.Integer({ description: 'completed orders' }),
  TotalOrderExecutionPrice: Type.String({ description: 'of those, a decimal number, exact' }),
  AverageOrderExecutionPrice: Type.String({ description: 'for each of them that has a price, rounded to six places' }),
  OrdersQueued: Type.Integer(),
  OrdersRunning: Type.Integer(),
  missing_warehouses: Type.Optional(Type.Array(Type.String(), { description: 'what they have is not counted' })),
});

type MetricsJson = Static<typeof MetricsView>;

/** `GET /metrics`: totals of all warehouses, as JSON or in the text form of Prometheus. Counters, so nothing is counted here. */
export function metrics(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'What was processed, at which price; Prometheus text, or JSON with `Accept: application/json` or `?format=json`',
    querystring: MetricsQuery,
    response: responses(
      {
        200: {
          description: 'the metrics',
          content: { 'application/json': { schema: MetricsView }, 'text/plain': { schema: Type.String() } },
        },
      },
      [...(['invalid-request', 'unauthorized', 'forbidden', 'warehouse-unavailable'] as const)],
    ),
  };
  app.get<{ Querystring: Static<typeof MetricsQuery> }>(
    '/metrics',
    { schema, config: { openInDevelopment: true } },
    async (request, reply) => {
      if (request.principal) requireOperator(request);
      const wantsJson =
        request.query.format === 'json' ||
        (request.query.format === undefined && /\bapplication\/json\b/i.test(request.headers.accept ?? ''));
      const found = await readAll(context);
      return wantsJson ? showJson(context, found) : sendText(found, reply);
    },
  );
}

interface Found {
  warehouse: Warehouse;
  /** How far its announcements are behind; `undefined` where there never were any. */
  lagMs: number | undefined;
  /** `undefined`: it did not answer. */
  sums: PriceSums | undefined;
}

async function readAll({ warehouses }: GatewayContext): Promise<Found[]> {
  const answers = await Promise.allSettled(
    warehouses.all.map(({ store }) => Promise.all([store.readTotals(), store.outbox.readLag('amqp')])),
  );
  const found = answers.map((answer, index): Found => {
    const warehouse = warehouses.all[index] as Warehouse;
    if (answer.status === 'rejected') return { warehouse, lagMs: undefined, sums: undefined };
    const [totals, lagMs] = answer.value;
    return { warehouse, lagMs, sums: pricesOf(totals) };
  });
  if (found.every(({ sums }) => sums === undefined)) throw new ConveyorError('warehouse-unavailable', 'no warehouse answers');
  return found;
}

function showJson(context: GatewayContext, found: readonly Found[]): MetricsJson {
  const total = addPrices(found.flatMap(({ sums }) => sums ?? []));
  const missing = found.filter(({ sums }) => sums === undefined).map(({ warehouse }) => warehouse.name);
  const { queued, running } = context.warehouses.counts;
  return {
    TotalOrdersProcessed: total.completed,
    TotalOrderExecutionPrice: formatMillionths(total.millionths),
    AverageOrderExecutionPrice: formatMillionths(averageOf(total)),
    OrdersQueued: queued,
    OrdersRunning: running,
    ...(missing.length > 0 ? { missing_warehouses: missing } : {}),
  };
}

const FAMILIES: readonly {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  read: (found: Found) => number | string | undefined;
}[] = [
  {
    name: 'conveyor_warehouse_up',
    type: 'gauge',
    help: 'Whether the database of the warehouse answers.',
    read: ({ warehouse }) => Number(warehouse.presence.isHere),
  },
  { name: 'conveyor_orders_completed_total', type: 'counter', help: 'Completed orders.', read: ({ sums }) => sums?.completed },
  {
    name: 'conveyor_orders_priced_total',
    type: 'counter',
    help: 'Completed orders that have an execution price.',
    read: ({ sums }) => sums?.priced,
  },
  {
    name: 'conveyor_execution_price_total',
    type: 'counter',
    help: 'Sum of the execution prices of completed orders.',
    read: ({ sums }) => sums && formatMillionths(sums.millionths),
  },
  {
    name: 'conveyor_orders_queued',
    type: 'gauge',
    help: 'Orders that wait for a slot.',
    read: ({ warehouse }) => warehouse.watch.counts?.queued,
  },
  { name: 'conveyor_orders_running', type: 'gauge', help: 'Orders in slots.', read: ({ warehouse }) => warehouse.watch.counts?.running },
  {
    name: 'conveyor_nodes_live',
    type: 'gauge',
    help: 'Nodes that take orders.',
    read: ({ warehouse }) => warehouse.watch.latest?.liveNodes,
  },
  { name: 'conveyor_slots', type: 'gauge', help: 'Slots of live nodes.', read: ({ warehouse }) => warehouse.watch.latest?.slots },
  { name: 'conveyor_slots_busy', type: 'gauge', help: 'Slots that are busy.', read: ({ warehouse }) => warehouse.watch.latest?.busy },
  {
    name: 'conveyor_gate_open',
    type: 'gauge',
    help: 'Whether orders with keys may be claimed.',
    read: ({ warehouse }) => warehouse.watch.latest && Number(warehouse.watch.latest.gate.open),
  },
  {
    name: 'conveyor_announcements_lag_milliseconds',
    type: 'gauge',
    help: 'How old the oldest event is that was not announced to the message broker yet.',
    read: ({ lagMs }) => lagMs,
  },
  {
    name: 'conveyor_conflicts_open',
    type: 'gauge',
    help: 'Conflicts of keys that a person has to look at.',
    read: ({ warehouse }) => warehouse.watch.latest?.openConflicts,
  },
];

function sendText(found: readonly Found[], reply: FastifyReply): FastifyReply {
  const lines = FAMILIES.flatMap(({ name, type, help, read }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...found.flatMap((one) => {
      const value = read(one);
      return value === undefined ? [] : [`${name}{warehouse="${one.warehouse.name}"} ${value}`];
    }),
  ]);
  return reply
    .header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
    .serializer((text: string) => text)
    .send(`${lines.join('\n')}\n`);
}
