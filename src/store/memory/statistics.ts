import { addHistograms, binOf, type Histogram } from '#domain/histogram.ts';
import type { OrderEvent } from '#domain/order.ts';
import type { EpochMs } from '#domain/time.ts';
import {
  BUCKET_MS,
  type EventCounts,
  FIRST_COUNTED_MS,
  MAX_NEEDS_ATTENTION,
  type PresentReport,
  type RollUpReport,
  type StatisticsPoint,
  type StatisticsStore,
  type StatisticsWindow,
  type WindowReport,
} from '#engine/statistics-store.ts';
import type { MemoryDatabase } from './database.ts';

/** Counts the events themselves; what was rolled up is only a moment. */
export function statisticsStore(db: MemoryDatabase): StatisticsStore {
  return {
    rollUp: async ({ maxBuckets }) => rollUp(db, maxBuckets),
    readPresent: async () => readPresent(db),
    readWindow: async (window) => readWindow(db, window),
  };
}

function rollUp(db: MemoryDatabase, maxBuckets: number): RollUpReport {
  const now = db.clock.now();
  const first = db.outbox[0];
  db.countedUpto ??= bucketOf(Math.max(now - FIRST_COUNTED_MS, first ? first.at : now));
  db.countedUpto = Math.max(db.countedUpto, Math.min(bucketOf(now), db.countedUpto + maxBuckets * BUCKET_MS));
  return { upto: db.countedUpto, dueInMs: Math.max(0, db.countedUpto + BUCKET_MS - now) };
}

function readPresent(db: MemoryDatabase): PresentReport {
  const now = db.clock.now();
  const waiting = [...db.open].filter(({ state, nextRunAt }) => state === 'queued' && nextRunAt <= now);
  const oldest = waiting.sort((a, b) => a.nextRunAt - b.nextRunAt)[0];
  const needsAttention = [...db.open].filter(({ state }) => state === 'needs_attention').length;
  return {
    countedUpto: db.countedUpto,
    oldestWaiting: oldest && { orderId: oldest.orderId, since: oldest.nextRunAt },
    needsAttention: Math.min(needsAttention, MAX_NEEDS_ATTENTION),
  };
}

function readWindow(db: MemoryDatabase, { since, until, pointMs }: StatisticsWindow): WindowReport {
  const end = Math.min(until, db.countedUpto ?? Number.NEGATIVE_INFINITY);
  const points = new Map<EpochMs, StatisticsPoint>();
  const acceptedAt = new Map<string, EpochMs>();
  const latencies: Histogram[] = [];
  for (const { orderId, kind, at } of db.outbox) {
    if (kind === 'accepted') acceptedAt.set(orderId, at);
    if (!isCounted(kind) || at < since || at >= end) continue;
    const begin = at - (at % pointMs);
    const point = points.get(begin) ?? { at: begin, accepted: 0, completed: 0, failed: 0, cancelled: 0 };
    point[kind] += 1;
    points.set(begin, point);
    if (kind === 'completed') latencies.push(new Map([[binOf(at - (acceptedAt.get(orderId) ?? at)), 1]]));
  }
  return { points: [...points.values()].sort((a, b) => a.at - b.at), latencies: addHistograms(latencies) };
}

function isCounted(kind: OrderEvent['kind']): kind is keyof EventCounts {
  return kind === 'accepted' || kind === 'completed' || kind === 'failed' || kind === 'cancelled';
}

function bucketOf(at: EpochMs): EpochMs {
  return at - (at % BUCKET_MS);
}
