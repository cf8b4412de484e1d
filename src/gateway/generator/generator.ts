import { messageOf } from '#domain/errors.ts';
import { formatTime } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { ClusterLease, ClusterSetting } from '#engine/peer-store.ts';
import { Ticker } from '#engine/ticker.ts';
import { newestOf } from '#engine/versioned.ts';
import { hashBody } from '../idempotency.ts';
import type { Placement } from '../warehouses/placement.ts';
import { NO_RECORDS, writeEverywhere } from '../warehouses/shared-records.ts';
import type { Warehouse, Warehouses } from '../warehouses/warehouses.ts';
import { dueTicks, GENERATOR, GENERATOR_CUSTOMER, type GeneratorState, orderOfTick, readGeneratorState, untilNextTick } from './plan.ts';

export interface GeneratorOptions {
  warehouses: Warehouses;
  placement: Placement;
  clock: Clock;
  log: Log;
  /** Of this gateway: who holds the lease. */
  serviceId: string;
}

const LEASE_TTL_MS = 3_000;
/** The lease is extended, and changes of the state are noticed, at least so often. */
const LOOK_EVERY_MS = 1_000;

/** What the holder of the lease shows of itself. */
interface Placed {
  /** Orders since this state began. */
  placed: number;
  last_tick: number;
  last_order_id: string;
  last_at: string;
}

/**
 * Places an order at a steady pace, once in the cluster: the gateway that holds the lease does it. Two may hold one for a moment,
 * when they see different warehouses: the orders of a tick have one key, so they are one order.
 */
export class OrderGenerator {
  private readonly options: GeneratorOptions;
  private readonly ticker: Ticker;
  /** Of the state that began at `startedAt`. */
  private startedAt = -1;
  private lastPlaced = -1;
  private placedCount = 0;

  constructor(options: GeneratorOptions) {
    this.options = options;
    this.ticker = new Ticker({
      clock: options.clock,
      intervalMs: () => Math.min(LOOK_EVERY_MS, this.untilNextMs ?? LOOK_EVERY_MS),
      turn: () => this.turn(),
    });
  }

  start(): void {
    this.ticker.soon();
  }

  stop(): void {
    this.ticker.stop();
  }

  /** The newest state that any warehouse knows, with its version. */
  get setting(): ClusterSetting | undefined {
    const known = this.options.warehouses.all.flatMap(({ watch }) => watch.latest?.settings ?? []).filter(({ name }) => name === GENERATOR);
    return newestOf(known);
  }

  get state(): GeneratorState | undefined {
    return readGeneratorState(this.setting?.value);
  }

  /** Who places orders just now, where anybody does; what was placed since the state began, also after that. */
  async readProgress(): Promise<Partial<Placed> & { holder?: string }> {
    const [first] = this.options.warehouses.here;
    const lease = await first?.store.peers.readLease(GENERATOR).catch(() => undefined);
    const { state } = this;
    if (!lease || !state) return {};
    return { ...placedSince(state, lease), ...(state.running && lease.leaseMs > 0 ? { holder: lease.holder } : {}) };
  }

  /** Milliseconds to the next order, while there is to be one. */
  get untilNextMs(): number | undefined {
    return this.state?.running ? untilNextTick(this.state, this.options.clock.now()) : undefined;
  }

  async change(state: GeneratorState, changedBy: string): Promise<void> {
    const { warehouses, clock } = this.options;
    const setting = { name: GENERATOR, value: state, version: (this.setting?.version ?? 0) + 1, changedAt: clock.now(), changedBy };
    await writeEverywhere(warehouses, async ({ store, watch }) => {
      await store.peers.importShared({ ...NO_RECORDS, settings: [setting] });
      await watch.refresh();
    });
    this.ticker.soon();
  }

  private async turn(): Promise<void> {
    const { state } = this;
    try {
      if (state?.running) await this.work(state);
    } catch (error) {
      this.options.log.warn({ error: messageOf(error) }, 'the generator could not place an order; trying again');
    }
  }

  private async work(state: GeneratorState): Promise<void> {
    const { warehouses, clock, serviceId } = this.options;
    const [first] = warehouses.here;
    if (!first) return;
    const lease = await this.takeLease(first, null);
    if (lease.holder !== serviceId) return this.follow(state, lease);
    if (this.startedAt !== state.started_at) this.follow(state, lease);
    for (const tick of dueTicks(state, clock.now(), this.lastPlaced)) {
      // However far behind this gateway is: once a stop or another pace was answered, nothing of the state before is placed.
      if (this.ticker.isStopped || !this.state?.running || this.state.started_at !== state.started_at) return;
      const placed = await this.place(state, tick);
      this.lastPlaced = tick;
      await this.takeLease(first, { ...placed });
    }
  }

  /** What the holder placed last: whoever takes over goes on after that. */
  private follow(state: GeneratorState, lease: ClusterLease): void {
    const { last_tick, placed } = placedSince(state, lease);
    this.lastPlaced = last_tick ?? -1;
    this.placedCount = placed ?? 0;
    this.startedAt = state.started_at;
  }

  private takeLease(warehouse: Warehouse, detail: Placed | null): Promise<ClusterLease> {
    const { serviceId } = this.options;
    const shown = detail && { ...detail, started_at: this.startedAt };
    return warehouse.store.peers.takeLease({ name: GENERATOR, holder: serviceId, ttlMs: LEASE_TTL_MS, detail: shown });
  }

  private async place(state: GeneratorState, tick: number): Promise<Placed> {
    const { placement, warehouses, clock, log } = this.options;
    const { key, content } = orderOfTick(state, tick, warehouses.names);
    const placed = await placement.place({
      ...{ customerId: GENERATOR_CUSTOMER, content, keys: [{ kind: 'header', key }], bodyHash: hashBody(content) },
    });
    const orderId = placed.outcome === 'created' ? placed.order.orderId : placed.record.order.orderId;
    log.info(
      { order: orderId, tick, symbol: content.symbol, quantity: content.quantity, warehouse: placed.warehouse.name },
      'order generated',
    );
    this.placedCount += 1;
    return { placed: this.placedCount, last_tick: tick, last_order_id: orderId, last_at: formatTime(clock.now()) };
  }
}

/** What the lease tells of a state that began at another time concerns nobody any more. */
function placedSince({ started_at }: GeneratorState, { detail }: ClusterLease): Partial<Placed> {
  const { started_at: startedAt, ...placed } = (detail ?? {}) as Partial<Placed> & { started_at?: number };
  return startedAt === started_at ? placed : {};
}
