import type { FastifyInstance } from 'fastify';
import { addHistograms, type Histogram, percentileOf } from '#domain/histogram.ts';
import { formatMillionths } from '#domain/money.ts';
import { formatTime } from '#domain/time.ts';
import { MAX_NEEDS_ATTENTION, type PresentReport, type StatisticsWindow, type WindowReport } from '#engine/statistics-store.ts';
import type { OrderTotals } from '#engine/store.ts';
import { responses } from '../api.ts';
import { type StatisticsJson, StatisticsQuery, type StatisticsQueryJson, StatisticsView } from '../api-statistics.ts';
import { type GatewayContext, requireOperator } from '../context.ts';
import { addPrices, averageOf, pricesOf } from '../price-sums.ts';
import { addCounts, bucketEndBefore, DEFAULT_RANGE, pointsOf, type StatisticsRange, windowOf } from '../statistics.ts';
import { askAll } from '../warehouses/ask-all.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';

/** `GET /statistics`: what happened lately and what is now, over all warehouses. Reads what leaders have counted. */
export function statistics(app: FastifyInstance, context: GatewayContext): void {
  const schema = {
    summary: 'What happened in the last minutes, hours or days: orders accepted and ended, how long they took, what waits',
    querystring: StatisticsQuery,
    response: responses({ 200: StatisticsView }, ['invalid-request', 'unauthorized', 'forbidden', 'warehouse-unavailable']),
  };
  app.get<{ Querystring: StatisticsQueryJson }>('/statistics', { schema }, (request) => {
    requireOperator(request);
    return readStatistics(context, request.query.range ?? DEFAULT_RANGE);
  });
}

/** One warehouse as it is now, and what happened there. */
interface Found {
  warehouse: Warehouse;
  present: PresentReport;
  totals: OrderTotals;
  report: WindowReport;
}

async function readStatistics(context: GatewayContext, range: StatisticsRange): Promise<StatisticsJson> {
  const now = context.clock.now();
  const first = await askAll(context.warehouses.all, async ({ store }) => {
    const [present, totals] = await Promise.all([store.statistics.readPresent(), store.readTotals()]);
    return { present, totals };
  });
  const known = new Map(first.answers.map(({ warehouse, answer }) => [warehouse, answer]));
  // By the databases' clocks: the window ends where the one that is furthest has counted to.
  const upto = first.answers.flatMap(({ answer }) => answer.present.countedUpto ?? []);
  const window = windowOf(range, upto.length > 0 ? Math.max(...upto) : bucketEndBefore(now));
  const second = await askAll([...known.keys()], ({ store }) => store.statistics.readWindow(window));
  const found = second.answers.map(({ warehouse, answer: report }) => ({
    ...(known.get(warehouse) as { present: PresentReport; totals: OrderTotals }),
    warehouse,
    report,
  }));
  const missing = context.warehouses.names.filter((name) => first.missing.includes(name) || second.missing.includes(name));
  return {
    range,
    ...viewHistory(window, found),
    ...viewPresent(found),
    ...(missing.length > 0 ? { missing_warehouses: missing } : {}),
    generated_at: formatTime(now),
  };
}

type History = Pick<StatisticsJson, 'since' | 'until' | 'bucket_s' | 'points' | 'totals' | 'time_to_completion_ms'>;

function viewHistory(window: StatisticsWindow, found: readonly Found[]): History {
  const points = pointsOf(
    window,
    found.map(({ report }) => report),
  );
  return {
    since: formatTime(window.since),
    until: formatTime(window.until),
    bucket_s: window.pointMs / 1_000,
    points: points.map((point) => ({ ...point, at: formatTime(point.at) })),
    totals: addCounts(points),
    time_to_completion_ms: viewLatencies(addHistograms(found.map(({ report }) => report.latencies))),
  };
}

function viewLatencies(latencies: Histogram): StatisticsJson['time_to_completion_ms'] {
  const [p50, p95, p99] = [50, 95, 99].map((percent) => percentileOf(latencies, percent));
  if (p50 === undefined || p95 === undefined || p99 === undefined) return null;
  return { p50: Math.round(p50), p95: Math.round(p95), p99: Math.round(p99) };
}

type Present = Pick<StatisticsJson, 'waiting' | 'running' | 'execution_price' | 'needs_attention' | 'warehouses'>;

function viewPresent(found: readonly Found[]): Present {
  const warehouses = found.map(viewWarehouse);
  const oldest = findOldest(found);
  const prices = addPrices(found.map(({ totals }) => pricesOf(totals)));
  const needsAttention = found.reduce((sum, { present }) => sum + present.needsAttention, 0);
  return {
    waiting: { orders: warehouses.reduce((sum, { queued }) => sum + queued, 0), ...(oldest ? { oldest } : {}) },
    running: warehouses.reduce((sum, { running }) => sum + running, 0),
    execution_price: { total: formatMillionths(prices.millionths), average: formatMillionths(averageOf(prices)) },
    needs_attention: Math.min(needsAttention, MAX_NEEDS_ATTENTION),
    warehouses,
  };
}

function viewWarehouse({ warehouse, present, report }: Found): StatisticsJson['warehouses'][number] {
  const { countedUpto } = present;
  const { counts } = warehouse.watch;
  return {
    name: warehouse.name,
    ...addCounts(report.points),
    queued: counts?.queued ?? 0,
    running: counts?.running ?? 0,
    ...(countedUpto === undefined ? {} : { until: formatTime(countedUpto) }),
  };
}

function findOldest(found: readonly Found[]): StatisticsJson['waiting']['oldest'] {
  const waiting = found.flatMap(({ warehouse, present }) => {
    const { oldestWaiting } = present;
    return oldestWaiting ? [{ ...oldestWaiting, warehouse: warehouse.name }] : [];
  });
  const [oldest] = waiting.sort((a, b) => a.since - b.since);
  return oldest && { order_id: oldest.orderId, warehouse: oldest.warehouse, since: formatTime(oldest.since) };
}
