import { messageOf } from '#domain/errors.ts';
import type { BulkPart } from '#engine/bulk-store.ts';
import { sleep } from '#engine/clock.ts';
import { Ticker } from '#engine/ticker.ts';
import type { Warehouse, Warehouses } from '../warehouses/warehouses.ts';
import { type BulkContext, PartRun } from './run-part.ts';

export interface BulkWorkersOptions extends BulkContext {
  warehouses: Warehouses;
  /** Of this gateway: who holds the leases. */
  serviceId: string;
}

interface BulkWorkerOptions extends BulkWorkersOptions {
  warehouse: Warehouse;
}

const LEASE = 'bulk';
const LEASE_TTL_MS = 4_000;
/** The lease is extended, and a stop is noticed, so often. */
const LOOK_EVERY_MS = 500;
/** What could not go on is tried again. */
const TRY_AGAIN_MS = 3_000;
/** The others wait for their turn, in their order. */
const MOST_AT_ONCE = 10;

interface Run {
  stopping: AbortController;
  ended: Promise<void>;
}

/**
 * Carries on the bulk operations of one warehouse while this gateway holds their lease. A gateway that ends leaves them where they
 * stand; another goes on when its lease has run out. Two may hold it for a moment (a lease that could not be extended in time): what
 * the slower one did is not counted, and to see to an order twice does it no harm.
 */
class BulkWorker {
  private readonly options: BulkWorkerOptions;
  private readonly runs = new Map<string, Run>();
  private leaseUntil = Number.NEGATIVE_INFINITY;
  private readonly ticker: Ticker;
  private stopped = false;

  constructor(options: BulkWorkerOptions) {
    this.options = options;
    this.ticker = new Ticker({ clock: options.clock, intervalMs: () => LOOK_EVERY_MS, turn: () => this.turn() });
  }

  /** Begins to look; or, when something has changed, looks now. */
  soon(): void {
    this.ticker.soon();
  }

  /** Resolves when what was under way is written down. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.ticker.stop();
    await this.endRuns([...this.runs.keys()]);
  }

  private async turn(): Promise<void> {
    const { warehouse, log, clock } = this.options;
    try {
      if (warehouse.presence.isHere && (this.runs.size > 0 || warehouse.watch.latest?.runningBulks)) await this.look();
    } catch (error) {
      log.debug({ warehouse: warehouse.name, error: messageOf(error) }, 'bulk operations could not be looked at; trying again');
    }
    if (clock.monotonic() > this.leaseUntil) void this.endRuns([...this.runs.keys()]);
  }

  private async look(): Promise<void> {
    const { store } = this.options.warehouse;
    const parts = await store.bulk.listRunning();
    const going = await this.withoutStopped(parts.slice(0, MOST_AT_ONCE));
    const wanted = going.length > 0 && (await this.holdLease()) ? going : [];
    void this.endRuns([...this.runs.keys()].filter((bulkId) => !wanted.some((part) => part.bulkId === bulkId)));
    for (const part of wanted) if (!this.runs.has(part.bulkId) && !this.stopped) this.begin(part);
  }

  private async holdLease(): Promise<boolean> {
    const { warehouse, serviceId, clock } = this.options;
    const now = clock.monotonic();
    const { holder } = await warehouse.store.peers.takeLease({ name: LEASE, holder: serviceId, ttlMs: LEASE_TTL_MS, detail: null });
    this.leaseUntil = holder === serviceId ? now + LEASE_TTL_MS : Number.NEGATIVE_INFINITY;
    return holder === serviceId;
  }

  /** An operation may have been stopped while this warehouse could not be told: the others know. */
  private async withoutStopped(parts: readonly BulkPart[]): Promise<BulkPart[]> {
    const { warehouse, warehouses } = this.options;
    const others = warehouses.here.filter(({ name }) => name !== warehouse.name && parts.some((part) => part.warehouses.includes(name)));
    const known = await Promise.all(others.map(({ store }) => store.bulk.find(parts.map(({ bulkId }) => bulkId)).catch(() => [])));
    const stopped = new Map(known.flat().flatMap(({ bulkId, stoppedBy }) => (stoppedBy === null ? [] : [[bulkId, stoppedBy]])));
    for (const [bulkId, actor] of stopped) await warehouse.store.bulk.stop(bulkId, { actor, reason: undefined });
    return parts.filter(({ bulkId }) => !stopped.has(bulkId));
  }

  private begin(part: BulkPart): void {
    const stopping = new AbortController();
    const ended = this.run(part, stopping.signal).finally(() => this.runs.delete(part.bulkId));
    this.runs.set(part.bulkId, { stopping, ended });
  }

  private async run(part: BulkPart, signal: AbortSignal): Promise<void> {
    const { warehouse, log, clock } = this.options;
    const about = { warehouse: warehouse.name, bulk: part.bulkId, action: part.action };
    log.info({ ...about, ...part.counts }, 'a bulk operation goes on here');
    try {
      const last = await new PartRun(this.options, warehouse, part, signal).run();
      if (last) log.info({ ...about, ...last.counts, state: last.state }, 'a bulk operation went so far here');
    } catch (error) {
      log.warn({ ...about, error: messageOf(error) }, 'a bulk operation could not go on here; trying again');
      await sleep(clock, TRY_AGAIN_MS, signal).catch(() => undefined);
    }
  }

  private async endRuns(bulkIds: readonly string[]): Promise<void> {
    const runs = bulkIds.flatMap((bulkId) => this.runs.get(bulkId) ?? []);
    for (const { stopping } of runs) stopping.abort();
    await Promise.all(runs.map(({ ended }) => ended));
  }
}

/** One for each warehouse: none waits for another. */
export class BulkWorkers {
  private readonly workers: readonly BulkWorker[];

  constructor(options: BulkWorkersOptions) {
    this.workers = options.warehouses.all.map((warehouse) => new BulkWorker({ ...options, warehouse }));
  }

  /** Begins to look; or, when something has changed, looks now. */
  soon(): void {
    for (const worker of this.workers) worker.soon();
  }

  async stop(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.stop()));
  }
}
