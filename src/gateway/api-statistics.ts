import { type Static, Type } from 'typebox';
import { Time } from './api.ts';
import { DEFAULT_RANGE, STATISTICS_RANGES, type StatisticsRange } from './statistics.ts';

/** The wire of the statistics, as schemas. */

export const StatisticsQuery = Type.Object(
  {
    range: Type.Optional(
      Type.Unsafe<StatisticsRange>({
        type: 'string',
        enum: STATISTICS_RANGES,
        default: DEFAULT_RANGE,
        description: 'how far back from `until`',
      }),
    ),
  },
  { additionalProperties: false },
);

const counts = { accepted: Type.Integer(), completed: Type.Integer(), failed: Type.Integer(), cancelled: Type.Integer() };

const OldestWaiting = Type.Object({ order_id: Type.String(), warehouse: Type.String(), since: Time });

const WarehouseStatistics = Type.Object({
  name: Type.String(),
  ...counts,
  queued: Type.Integer(),
  running: Type.Integer(),
  until: Type.Optional(
    Type.String({ description: 'what happened there later is not counted yet; absent where nothing was counted so far' }),
  ),
});

export const StatisticsView = Type.Object({
  range: Type.String(),
  since: Time,
  until: Type.String({ description: 'the end of what was counted, some seconds ago' }),
  bucket_s: Type.Integer({ description: 'how much time each point stands for; the last one may be growing still' }),
  points: Type.Array(Type.Object({ at: Time, ...counts })),
  totals: Type.Object(counts, { description: 'between `since` and `until`' }),
  time_to_completion_ms: Type.Union([Type.Object({ p50: Type.Integer(), p95: Type.Integer(), p99: Type.Integer() }), Type.Null()], {
    description: 'from acceptance to completion of what completed in that time, to within 4.5 %; null: nothing did',
  }),
  waiting: Type.Object({
    orders: Type.Integer({ description: 'now, those that wait for their next try included' }),
    oldest: Type.Optional(OldestWaiting),
  }),
  running: Type.Integer({ description: 'now' }),
  execution_price: Type.Object(
    { total: Type.String(), average: Type.String() },
    { description: 'of all orders ever completed: decimal numbers, as in /metrics' },
  ),
  needs_attention: Type.Integer({ description: 'orders that wait for a person, now; 1,000 stands for that many or more' }),
  warehouses: Type.Array(WarehouseStatistics),
  missing_warehouses: Type.Optional(Type.Array(Type.String(), { description: 'warehouses that did not answer' })),
  generated_at: Time,
});

export type StatisticsQueryJson = Static<typeof StatisticsQuery>;
export type StatisticsJson = Static<typeof StatisticsView>;
