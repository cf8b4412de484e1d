import { describeError, type ShownOrder } from '../orders.ts';
import { findViolations } from './check.ts';

/** One accepted order that is followed. */
export interface Followed {
  orderId: string;
  /** By the monotonic clock of this process. */
  acceptedAtMs: number;
}

/** What a run has seen so far. */
export class Tally {
  submitted = 0;
  accepted = 0;
  completed = 0;
  failed = 0;
  cancelled = 0;
  needsAttention = 0;
  retriedSubmits = 0;
  polls = 0;
  readonly lost: { order_id: string; reason: string }[] = [];
  readonly violations: { order_id: string; reason: string }[] = [];
  readonly rejections = new Map<string, number>();
  readonly failures = new Map<string, number>();
  /** Ended orders by region (`none` for those without), and by the warehouse that carried them. */
  readonly regions = new Map<string, number>();
  readonly warehouses = new Map<string, number>();
  readonly submitLatenciesMs: number[] = [];
  readonly endToEndMs: number[] = [];
  private firstStart = Number.POSITIVE_INFINITY;
  private lastEnd = Number.NEGATIVE_INFINITY;

  get ended(): number {
    return this.completed + this.failed + this.cancelled;
  }

  /** Accepted and neither ended nor given up. */
  get open(): number {
    return this.accepted - this.ended - this.needsAttention - this.lost.length;
  }

  get rejected(): number {
    return [...this.rejections.values()].reduce((sum, count) => sum + count, 0);
  }

  /** From the first order's start to the last one's end, by the server's clock. */
  get spanMs(): number {
    return Math.max(0, this.lastEnd - this.firstStart);
  }

  reject(reason: string): void {
    increase(this.rejections, reason);
  }

  /** Takes down how an order ended, and what its account of itself breaks. */
  end(order: ShownOrder): void {
    if (order.status === 'completed') this.completed += 1;
    else if (order.status === 'failed') this.failed += 1;
    else this.cancelled += 1;
    this.takeTimes(order);
    increase(this.regions, order.region ?? 'none');
    increase(this.warehouses, order.warehouse ?? 'unknown');
    if (order.status === 'failed') increase(this.failures, reasonOf(order));
    for (const reason of findViolations(order)) this.violations.push({ order_id: order.order_id, reason });
  }

  private takeTimes(order: ShownOrder): void {
    const start = Date.parse(order.start_time);
    const end = Date.parse(order.complete_time ?? '');
    if (Number.isNaN(start) || Number.isNaN(end)) {
      this.violations.push({ order_id: order.order_id, reason: 'it has ended without start_time or complete_time' });
      return;
    }
    this.firstStart = Math.min(this.firstStart, start);
    this.lastEnd = Math.max(this.lastEnd, end);
    this.endToEndMs.push(end - start);
  }
}

function reasonOf(order: ShownOrder): string {
  const broken = order.steps?.find((step) => step.error !== undefined);
  return describeError(broken?.error) || 'no reason given';
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
