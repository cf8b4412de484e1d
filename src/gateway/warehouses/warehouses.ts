import { ConveyorError } from '#domain/errors.ts';
import { isUuid, warehouseOfId } from '#domain/ids.ts';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { WarehouseFlag } from '#engine/peer-store.ts';
import type { Store } from '#engine/store.ts';
import { newestOf } from '#engine/versioned.ts';
import { type WarehouseQueues, warehouseQueues } from '../queues.ts';
import { guardStore, Presence } from './presence.ts';
import type { Candidate } from './routing.ts';
import { WarehouseWatch } from './watch.ts';

/** One warehouse as a gateway sees it. */
export interface Warehouse {
  readonly name: string;
  /** Part of every id of its orders. */
  readonly number: number;
  /** Refuses at once while the warehouse is away. */
  readonly store: Store;
  /** Reaches the database even while nobody else may: for what has to be done before it is back. */
  readonly bare: Store;
  readonly presence: Presence;
  readonly watch: WarehouseWatch;
  readonly queues: WarehouseQueues;
}

export interface WarehousesOptions {
  stores: readonly Store[];
  clock: Clock;
  log: Log;
  maxWaitingOrders: number;
  acceptBatch?: number | undefined;
  readiness: (store: Store) => string | undefined;
  onReturn: (warehouse: Warehouse) => Promise<void>;
  onLook: (warehouse: Warehouse) => void;
}

/** The warehouses of the cluster, with what is known of each. */
export class Warehouses {
  readonly all: readonly Warehouse[];
  private readonly byName = new Map<string, Warehouse>();
  private readonly byNumber = new Map<number, Warehouse>();

  constructor(options: WarehousesOptions) {
    this.all = options.stores.map((store) => openWarehouse(store, options));
    for (const warehouse of this.all) {
      const other = this.byNumber.get(warehouse.number);
      if (other)
        throw new Error(`warehouses ${other.name} and ${warehouse.name} have the same number ${warehouse.number}: rename one of them`);
      this.byName.set(warehouse.name, warehouse);
      this.byNumber.set(warehouse.number, warehouse);
    }
  }

  get stores(): readonly Store[] {
    return this.all.map(({ store }) => store);
  }

  get names(): readonly string[] {
    return this.all.map(({ name }) => name);
  }

  /** Those that answer. */
  get here(): readonly Warehouse[] {
    return this.all.filter(({ presence }) => presence.isHere);
  }

  /** Orders that wait and run, of all warehouses that answer. */
  get counts(): { queued: number; running: number } {
    const sum = (pick: 'queued' | 'running'): number => this.all.reduce((total, { watch }) => total + (watch.counts?.[pick] ?? 0), 0);
    return { queued: sum('queued'), running: sum('running') };
  }

  get(name: string): Warehouse | undefined {
    return this.byName.get(name);
  }

  /** The one that a path names. */
  require(name: string): Warehouse {
    const found = this.byName.get(name);
    if (found) return found;
    throw new ConveyorError(
      'warehouse-not-found',
      `no warehouse is called ${JSON.stringify(name.slice(0, 100))}; known: ${this.names.join(', ')}`,
    );
  }

  /** Of an order that exists: its id tells. */
  ofOrder(orderId: string): Warehouse {
    if (!isUuid(orderId)) throw new ConveyorError('invalid-order-id', `${JSON.stringify(orderId.slice(0, 100))} is no UUID`);
    const warehouse = this.byNumber.get(warehouseOfId(orderId));
    if (!warehouse) throw unknownOrder(orderId);
    return warehouse;
  }

  /** Those that a list is asked for. */
  select(name: string | undefined): readonly Warehouse[] {
    if (name === undefined) return this.all;
    const found = this.byName.get(name);
    if (found) return [found];
    const known = this.names.join(', ');
    throw new ConveyorError('invalid-request', `no warehouse is called ${JSON.stringify(name)}; known: ${known}`, {
      faults: [{ field: 'warehouse', reason: `must be one of ${known}` }],
    });
  }

  /** Asks one after the other for what only one of them has. Where none has it and some do not answer, nobody knows: it rejects. */
  async find<Found>(what: string, ask: (store: Store) => Promise<Found | undefined>): Promise<{ found: Found; name: string } | undefined> {
    const silent: string[] = [];
    for (const { store, name } of this.all) {
      try {
        const found = await ask(store);
        if (found !== undefined) return { found, name };
      } catch (error) {
        if (!(error instanceof ConveyorError)) throw error;
        silent.push(name);
      }
    }
    if (silent.length === 0) return undefined;
    throw new ConveyorError('warehouse-unavailable', `no warehouse that answers has ${what}; ${silent.join(', ')} did not answer`);
  }

  /** The newest flag of a warehouse that any of them knows. */
  flagOf(name: string): WarehouseFlag | undefined {
    const flags = this.all.flatMap(({ watch }) => watch.latest?.flags ?? []).filter((flag) => flag.name === name);
    return newestOf(flags);
  }

  candidateOf({ name, presence, watch }: Warehouse): Candidate {
    const { backlog } = watch;
    const pulse = watch.latest;
    const slots = pulse?.slots ?? 0;
    if (!presence.isHere) return { name, health: 'unavailable', trouble: 'is down', backlog, slots };
    if (this.flagOf(name)?.disabled) return { name, health: 'disabled', trouble: 'is disabled', backlog, slots };
    if (!pulse || pulse.liveNodes === 0) return { name, health: 'no_nodes', trouble: 'has no live node', backlog, slots };
    return { name, health: 'OK', trouble: undefined, backlog, slots };
  }

  /** Looks at every one once, then goes on looking. */
  async start(): Promise<void> {
    await Promise.all(this.all.map(({ watch }) => watch.start()));
  }

  stop(): void {
    for (const { watch } of this.all) watch.stop();
  }
}

function openWarehouse(bare: Store, options: WarehousesOptions): Warehouse {
  const { clock, log, readiness, onReturn, onLook } = options;
  const { name, number } = bare.warehouse;
  const presence = new Presence(name, () => watch.soon());
  const store = guardStore(bare, presence);
  const watch = new WarehouseWatch({
    store: bare,
    presence,
    clock,
    log,
    readiness: () => readiness(bare),
    onReturn: () => onReturn(warehouse),
    onLook: () => onLook(warehouse),
  });
  const queues = warehouseQueues(store, { ...options, onCreated: (count) => watch.noteAccepted(count) });
  const warehouse: Warehouse = { name, number, store, bare, presence, watch, queues };
  return warehouse;
}

/** The same words for an order that does not exist and for another customer's. */
export function unknownOrder(orderId: string): ConveyorError {
  return new ConveyorError('order-not-found', `there is no order ${orderId.toLowerCase()} that this token may see`);
}
