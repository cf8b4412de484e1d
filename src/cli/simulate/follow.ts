import { type Clock, sleep } from '#engine/clock.ts';
import type { ApiClient } from '../client.ts';
import { isEnded, orderPath, type ShownOrder } from '../orders.ts';
import type { Followed, Tally } from './tally.ts';

export interface FollowOptions {
  client: ApiClient;
  clock: Clock;
  tally: Tally;
  /** Aborted when the time is up (`timeout`) or someone wants to stop. */
  signal: AbortSignal;
}

const TICK_MS = 25;
const MIN_POLL_MS = 50;
const MAX_POLL_MS = 2_000;

interface Watch extends Followed {
  /** The status at the last look. */
  seen: string;
}

/**
 * Watches accepted orders until each has ended, asking rarely: most polls find an order that has just ended. One timer for
 * all of them: a hundred thousand open orders cost a list entry each.
 */
export class Follower {
  private readonly options: FollowOptions;
  private readonly open = new Set<Watch>();
  /** Orders to ask about, by tick. */
  private readonly due = new Map<number, Watch[]>();
  private lastTick: number;
  private isComplete = false;
  /** How long the order that ended last took, as seen from here; later ones take as long or longer. */
  private expectedMs: number | undefined;

  constructor(options: FollowOptions) {
    this.options = options;
    this.lastTick = this.tickNow();
  }

  add(order: Followed): void {
    const watch = { ...order, seen: 'not seen yet' };
    this.open.add(watch);
    this.schedule(watch);
  }

  /** No more will be added. */
  complete(): void {
    this.isComplete = true;
  }

  /** Resolves when every order has ended or was given up. */
  async run(): Promise<void> {
    const { clock, signal, tally } = this.options;
    while (!signal.aborted && !(this.isComplete && this.open.size === 0)) {
      await sleep(clock, TICK_MS, signal).catch(() => undefined);
      this.askDue();
    }
    if (signal.reason !== 'timeout') return;
    for (const { orderId, seen } of this.open) tally.lost.push({ order_id: orderId, reason: `not ended in time: ${seen}` });
  }

  private tickNow(): number {
    return Math.floor(this.options.clock.monotonic() / TICK_MS);
  }

  private schedule(watch: Watch): void {
    const ageMs = this.options.clock.monotonic() - watch.acceptedAtMs;
    const tick = this.tickNow() + Math.ceil(pollDelayMs(ageMs, this.expectedMs) / TICK_MS);
    const sameTick = this.due.get(tick);
    if (sameTick) sameTick.push(watch);
    else this.due.set(tick, [watch]);
  }

  private askDue(): void {
    const now = this.tickNow();
    while (this.lastTick < now) {
      this.lastTick += 1;
      for (const watch of this.due.get(this.lastTick) ?? []) void this.ask(watch);
      this.due.delete(this.lastTick);
    }
  }

  /** Never rejects: without a usable answer the order is asked about again. */
  private async ask(watch: Watch): Promise<void> {
    const { client, tally, signal, clock } = this.options;
    tally.polls += 1;
    const answer = await client.send({ method: 'GET', path: orderPath(watch.orderId) }).catch(() => undefined);
    if (signal.aborted) return;
    const order = answer?.status === 200 ? (answer.body as ShownOrder | undefined) : undefined;
    if (answer?.status === 404) tally.lost.push({ order_id: watch.orderId, reason: 'accepted, but unknown' });
    else if (order?.status === 'needs_attention') tally.needsAttention += 1;
    else if (order && isEnded(order.status)) {
      tally.end(order);
      this.expectedMs = clock.monotonic() - watch.acceptedAtMs;
    } else {
      watch.seen = order?.status ?? watch.seen;
      return this.schedule(watch);
    }
    this.open.delete(watch);
  }
}

/** Until nearly as long as others took, then ever more rarely. */
export function pollDelayMs(ageMs: number, expectedMs: number | undefined): number {
  const untilExpectedMs = expectedMs === undefined ? 0 : expectedMs * 0.9 - ageMs;
  const paceMs = Math.min(MAX_POLL_MS, Math.max(MIN_POLL_MS, ageMs * (expectedMs === undefined ? 0.5 : 0.15)));
  return Math.max(paceMs, untilExpectedMs);
}
