import { ConveyorError, messageOf } from '#domain/errors.ts';
import { momentOfId } from '#domain/ids.ts';
import type { OrderRecord } from '#domain/order.ts';
import { type OrderStatus, publicStatus } from '#domain/order-state.ts';
import type { BulkCounts, BulkPart } from '#engine/bulk-store.ts';
import { sleep } from '#engine/clock.ts';
import { standingOf } from '#engine/history.ts';
import type { OrderCriteriaJson } from '../api.ts';
import type { GatewayContext } from '../context.ts';
import { retryOrder } from '../retry.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { type BulkFilter, batchSizeOf, bulkFilterOf, paceOf, reasonOf, stillMatches } from './plan.ts';

export type BulkContext = Pick<GatewayContext, 'clock' | 'log' | 'registry' | 'presenter'>;

/** Others use the same connection: never are more statements of ours under way on it. */
const AT_ONCE = 8;
/** Finding the next orders looks through all that wait, so it is done for so many seconds' worth of them. */
const FOUND_FOR_S = 10;
const MAX_TRIES = 3;
const TRY_AGAIN_MS = 300;

type Outcome = keyof BulkCounts;

interface Worked {
  counts: BulkCounts;
  /** The last order that was seen to. */
  last: string | undefined;
  /** Nothing of the batch is left. */
  isWhole: boolean;
}

/** What an order is that a cancel reached before. */
const UNDONE: ReadonlySet<OrderStatus> = new Set(['cancelled', 'rolling_back']);

/**
 * Carries on one warehouse's part of an operation, from where it stands to its end, at its pace. How far it is and what comes next are
 * written down together, after every half second's worth: whoever goes on after a crash sees to the same orders again, and they are
 * counted once. Resolves when the part has ended, or as soon as the signal says so; rejects when the warehouse goes away.
 */
export class PartRun {
  private readonly context: BulkContext;
  private readonly warehouse: Warehouse;
  private readonly signal: AbortSignal;
  private readonly filter: BulkFilter;
  private readonly perSecond: number;
  private part: BulkPart;
  private found: string[] = [];
  /** When the next order may be seen to. */
  private due = Number.NEGATIVE_INFINITY;

  constructor(context: BulkContext, warehouse: Warehouse, part: BulkPart, signal: AbortSignal) {
    this.context = context;
    this.warehouse = warehouse;
    this.signal = signal;
    this.part = part;
    this.perSecond = paceOf(part);
    const filter = bulkFilterOf(part.action, part.filter as OrderCriteriaJson);
    this.filter = { ...filter, until: Math.min(filter.until ?? part.startedAt, part.startedAt) };
  }

  /** How the part is then; `undefined`: somebody else goes on with it. */
  async run(): Promise<BulkPart | undefined> {
    const { bulk } = this.warehouse.store;
    // What the one before left, and may have seen to.
    let isAgain = true;
    for (;;) {
      const { bulkId, batch, beforeId: from } = this.part;
      const { counts, last, isWhole } = await this.work(batch, isAgain);
      const to = last ?? from;
      const next = isWhole ? await this.findNext(to) : undefined;
      const progress = { from, to, counts, batch: next ?? [], isDone: next?.length === 0 };
      const part = await bulk.advance(bulkId, progress);
      if (part?.state !== 'running' || !next) return part;
      this.part = part;
      isAgain = false;
    }
  }

  /** `undefined`: it could not be found out just now. What was done is written down first. */
  private async findNext(beforeId: string | null): Promise<string[] | undefined> {
    if (this.found.length === 0) {
      const limit = Math.ceil(this.perSecond * FOUND_FOR_S);
      const page = { ...this.filter, limit, ...(beforeId === null ? {} : { beforeId }) };
      const found = await this.warehouse.store.listOrderIds(page).catch((error: unknown) => {
        this.context.log.warn({ bulk: this.part.bulkId, error: messageOf(error) }, 'the orders of a bulk operation could not be found');
        return undefined;
      });
      if (!found) return undefined;
      this.found = found;
    }
    return this.found.splice(0, batchSizeOf(this.perSecond));
  }

  private async work(batch: readonly string[], isAgain: boolean): Promise<Worked> {
    const counts = { succeeded: 0, refused: 0, failed: 0 };
    let last: string | undefined;
    for (let from = 0; from < batch.length; from += AT_ONCE) {
      const ids = batch.slice(from, from + AT_ONCE);
      if (!(await this.awaitTurn(ids.length))) return { counts, last, isWhole: false };
      const records = await this.warehouse.store.readOrders(ids);
      const outcomes = await Promise.all(records.map((record) => this.seeTo(record, isAgain)));
      for (const outcome of outcomes) if (outcome) counts[outcome] += 1;
      last = ids.at(-1);
    }
    return { counts, last, isWhole: true };
  }

  /** Waits until so many orders may be seen to; `false`: they may not any more. */
  private async awaitTurn(count: number): Promise<boolean> {
    const { clock } = this.context;
    const now = clock.monotonic();
    if (this.due > now) await sleep(clock, this.due - now, this.signal).catch(() => undefined);
    // What a slow database held up is not made up for: the pace is a bound.
    this.due = Math.max(this.due, now) + (count / this.perSecond) * 1_000;
    return !this.signal.aborted;
  }

  /** `undefined`: it is none of those any more that match. */
  private async seeTo(record: OrderRecord | undefined, isAgain: boolean): Promise<Outcome | undefined> {
    const { log, clock } = this.context;
    if (!record) return undefined;
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.act(record, isAgain || tries > 1);
      } catch (error) {
        const isPassing = error instanceof ConveyorError && error.code === 'warehouse-unavailable';
        if (isPassing && !this.warehouse.presence.isHere) throw error;
        if (!isPassing || tries === MAX_TRIES) {
          log.warn({ bulk: this.part.bulkId, order: record.order.orderId, error: messageOf(error) }, 'an order of a bulk operation failed');
          return 'failed';
        }
        await sleep(clock, TRY_AGAIN_MS);
      }
    }
  }

  private act(record: OrderRecord, isAgain: boolean): Promise<Outcome | undefined> {
    return this.part.action === 'cancel' ? this.cancel(record, isAgain) : this.retry(record);
  }

  /** One that was cancelled or is being undone, where this may have been our own doing before, counts as ours. */
  private async cancel(record: OrderRecord, isAgain: boolean): Promise<Outcome | undefined> {
    if (!this.matches(record)) return isAgain && UNDONE.has(statusOf(record)) ? 'succeeded' : undefined;
    const { orderId } = record.order;
    const verdict = await this.warehouse.store.cancelOrder({ orderId, customerId: undefined, ...this.author() });
    if (verdict.outcome === 'refused') return isAgain && UNDONE.has(verdict.status) ? 'succeeded' : 'refused';
    return verdict.outcome === 'unknown' ? undefined : 'succeeded';
  }

  /** An order has one retry. If that is no older than the operation, it is ours, or what was wanted anyway. */
  private async retry(record: OrderRecord): Promise<Outcome | undefined> {
    if (!this.matches(record)) return undefined;
    try {
      const verdict = await retryOrder(this.context, this.warehouse, record, { customerId: undefined, ...this.author() });
      if (verdict.outcome === 'unknown') return undefined;
      if (verdict.outcome === 'refused') return 'refused';
      return momentOfId(verdict.orderId) >= momentOfId(this.part.bulkId) ? 'succeeded' : 'refused';
    } catch (error) {
      if (error instanceof ConveyorError && error.code === 'order-state-conflict') return 'refused';
      throw error;
    }
  }

  private matches(record: OrderRecord): boolean {
    return stillMatches(record, this.filter, (step) => this.context.presenter.stepName(record.order, step));
  }

  private author(): { actor: string; reason: string } {
    return { actor: this.part.actor, reason: reasonOf(this.part) };
  }
}

function statusOf({ order, events }: OrderRecord): OrderStatus {
  return publicStatus(order.state, standingOf(order, events).direction);
}
