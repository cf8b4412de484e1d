import { ConveyorError } from '#domain/errors.ts';
import { newOrderId } from '#domain/ids.ts';
import { formatTime } from '#domain/time.ts';
import type { BulkAction, BulkCounts, BulkPart } from '#engine/bulk-store.ts';
import type { Author } from '#engine/store.ts';
import type { OrderCriteriaJson } from '../api.ts';
import { type BulkViewJson, COUNTED_AT_MOST } from '../api-bulk.ts';
import type { GatewayContext } from '../context.ts';
import { type Page, type PageQuery, readPage } from '../pages.ts';
import { askAll } from '../warehouses/ask-all.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { bulkFilterOf, inFilter, sharesOf } from './plan.ts';

/** Bulk operations over all warehouses: each has its part, and what is shown is their sum. */

type Context = Pick<GatewayContext, 'warehouses' | 'clock' | 'bulk'>;

export interface BulkRequest {
  action: BulkAction;
  criteria: OrderCriteriaJson;
}

export interface Matching {
  counts: { warehouse: Warehouse; count: number; isMore: boolean }[];
  missing: string[];
  matching: number;
  isMore: boolean;
}

/** How many orders match, by index and up to a bound in each warehouse. */
export async function countMatching({ warehouses }: Context, { action, criteria }: BulkRequest): Promise<Matching> {
  const filter = bulkFilterOf(action, criteria);
  const { answers, missing } = await askAll(
    inFilter(() => warehouses.select(criteria.warehouse)),
    ({ store }) => store.countOrders({ ...filter, limit: COUNTED_AT_MOST + 1 }),
  );
  const counts = answers.map(({ answer, warehouse }) => ({
    warehouse,
    count: Math.min(answer, COUNTED_AT_MOST),
    isMore: answer > COUNTED_AT_MOST,
  }));
  return {
    counts,
    missing,
    matching: counts.reduce((sum, { count }) => sum + count, 0),
    isMore: counts.some((one) => one.isMore),
  };
}

/** Counts, writes down each warehouse's part, and lets the work begin. A warehouse that is away has no part. */
export async function beginBulk(context: Context, request: BulkRequest, pace: number, author: Author): Promise<BulkViewJson> {
  const { clock, bulk } = context;
  const { counts, missing } = await countMatching(context, request);
  const shares = sharesOf(counts.map(({ count }) => count));
  const bulkId = newOrderId(0, clock.now(), clock.entropy());
  const auditId = newOrderId(0, clock.now(), clock.entropy());
  const warehouses = counts.map(({ warehouse }) => warehouse);
  const asked = {
    bulkId,
    action: request.action,
    filter: request.criteria,
    warehouses: warehouses.map(({ name }) => name),
    pace,
    ...author,
  };
  const begun = await askAll(warehouses, async ({ store, watch }, index) => {
    const { count: matching, isMore } = counts[index] as Matching['counts'][number];
    await store.bulk.begin({ ...asked, share: shares[index] ?? 1, matching, isMore }, auditId);
    await watch.refresh();
  });
  bulk.soon();
  const view = await readBulk(context, bulkId);
  const silent = [...new Set([...missing, ...begun.missing, ...(view.missing_warehouses ?? [])])];
  return { ...view, ...(silent.length > 0 ? { missing_warehouses: silent } : {}) };
}

/** Rejects for an operation that no warehouse knows. */
export async function readBulk({ warehouses }: Context, bulkId: string): Promise<BulkViewJson> {
  const [view] = viewsOf(await askParts(warehouses.all, [bulkId]));
  if (view) return view;
  throw new ConveyorError('bulk-not-found', `no warehouse knows of a bulk operation ${bulkId}`);
}

/** Newest first. */
export async function listBulks({ warehouses }: Context, query: PageQuery): Promise<{ operations: BulkViewJson[] } & Page<never>['about']> {
  const { shown, about } = await readPage(warehouses.all, query, 'bulk', async ({ store }, page) =>
    (await store.bulk.list(page)).map(({ bulkId }) => ({ id: bulkId })),
  );
  const ids = shown.map(({ entry }) => entry.id);
  return { operations: ids.length === 0 ? [] : viewsOf(await askParts(warehouses.all, ids)), ...about };
}

/** Told to every warehouse that answers; the others stop as soon as a gateway sees them again. */
export async function stopBulk(context: Context, bulkId: string, author: Author): Promise<BulkViewJson> {
  const { warehouses, clock, bulk } = context;
  await readBulk(context, bulkId);
  const auditId = newOrderId(0, clock.now(), clock.entropy());
  await askAll(warehouses.all, ({ store }) => store.bulk.stop(bulkId, author, auditId));
  bulk.soon();
  return readBulk(context, bulkId);
}

interface Parts {
  found: { entry: BulkPart; warehouse: Warehouse }[];
  /** Warehouses that did not answer. */
  missing: string[];
}

async function askParts(warehouses: readonly Warehouse[], bulkIds: string[]): Promise<Parts> {
  const { answers, missing } = await askAll(warehouses, ({ store }) => store.bulk.find(bulkIds));
  const found = answers.flatMap(({ warehouse, answer }) => answer.map((entry) => ({ entry, warehouse })));
  if (found.length > 0 || missing.length === 0) return { found, missing };
  const silent = missing.join(', ');
  throw new ConveyorError('warehouse-unavailable', `no warehouse that answers has ${bulkIds.join(', ')}; ${silent} did not answer`);
}

function viewsOf({ found, missing }: Parts): BulkViewJson[] {
  const byId = Map.groupBy(found, ({ entry }) => entry.bulkId);
  return [...byId]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .map(([, parts]) => {
      const names = parts.flatMap(({ entry }) => entry.warehouses);
      return viewOf(
        parts,
        missing.filter((name) => names.includes(name)),
      );
    });
}

/** A part that cannot be seen just now may have something left to do: then the operation runs. */
function viewOf(parts: Parts['found'], missing: readonly string[]): BulkViewJson {
  const entries = parts.map(({ entry }) => entry);
  const { bulkId, action, filter, pace, actor, reason } = entries[0] as BulkPart;
  const isRunning = missing.length > 0 || entries.some(({ state }) => state === 'running');
  const isStopped = entries.some(({ state }) => state === 'stopped');
  const { stoppedBy } = entries.find((part) => part.stoppedBy !== null && (isStopped || isRunning)) ?? { stoppedBy: null };
  const ended = entries.map(({ endedAt }) => endedAt ?? 0);
  return {
    bulk_id: bulkId,
    action,
    filter: filter as OrderCriteriaJson,
    pace,
    by: actor,
    ...(reason === undefined ? {} : { reason }),
    started_at: formatTime(Math.min(...entries.map(({ startedAt }) => startedAt))),
    ...(isRunning ? {} : { ended_at: formatTime(Math.max(...ended)) }),
    ...(stoppedBy === null ? {} : { stopped_by: stoppedBy }),
    ...progressOf(entries, isRunning ? 'running' : isStopped ? 'stopped' : 'done'),
    warehouses: parts.map(({ entry, warehouse }) => ({ name: warehouse.name, ...progressOf([entry], entry.state) })),
    ...(missing.length > 0 ? { missing_warehouses: [...missing] } : {}),
  };
}

function progressOf(parts: readonly BulkPart[], state: BulkPart['state']): Omit<BulkViewJson['warehouses'][number], 'name'> {
  const sum = (pick: (part: BulkPart) => number): number => parts.reduce((total, part) => total + pick(part), 0);
  const counts: BulkCounts = {
    succeeded: sum((part) => part.counts.succeeded),
    refused: sum((part) => part.counts.refused),
    failed: sum((part) => part.counts.failed),
  };
  return {
    state,
    matching: sum(({ matching }) => matching),
    matching_is_lower_bound: parts.some(({ isMore }) => isMore),
    done: counts.succeeded + counts.refused + counts.failed,
    ...counts,
  };
}
