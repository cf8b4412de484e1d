import { ConveyorError, WarehouseAway } from '#domain/errors.ts';
import { newOrderId } from '#domain/ids.ts';
import type { Because, OrderContent, OrderRecord } from '#domain/order.ts';
import type { EpochMs } from '#domain/time.ts';
import type { Clock } from '#engine/clock.ts';
import type { KeyHolder } from '#engine/peer-store.ts';
import type { AcceptVerdict, NewOrder, OrderKey } from '#engine/store.ts';
import type { Workflow } from '#engine/workflow.ts';
import { refuseKey } from '../idempotency.ts';
import { homeOfKey, isAtEase, type Preference, type RoutingRequest, type RoutingSettings, rankWarehouses } from './routing.ts';
import type { Warehouse, Warehouses } from './warehouses.ts';

export interface PlacementOptions {
  warehouses: Warehouses;
  routing: RoutingSettings;
  clock: Clock;
  /** What new orders of a warehouse go through. */
  workflowOf: (warehouse: string) => Workflow;
}

export interface OrderRequest {
  customerId: string;
  content: OrderContent;
  keys: OrderKey[];
  bodyHash: Buffer | null;
}

type Turns = Iterable<[Warehouse, Preference]>;

export type Placed =
  | { outcome: 'created'; order: NewOrder; acceptedAt: EpochMs; warehouse: Warehouse }
  | { outcome: 'existing'; record: OrderRecord; warehouse: Warehouse };

/**
 * Stores new orders where they belong, or where they can be. One key leads to one order, wherever that went: each key has a home
 * warehouse that knows it. docs/decisions/0007-keys-across-warehouses.md tells why this holds, and what it cannot know.
 */
export class Placement {
  private readonly options: PlacementOptions;

  constructor(options: PlacementOptions) {
    this.options = options;
  }

  async place(request: OrderRequest): Promise<Placed> {
    const { region, because } = this.regionOf(request.content.region);
    if (request.keys.length === 0)
      return this.placeFreely(request, this.inTurn({ home: region, byKey: false, spread: undefined }, because));
    const { warehouses } = this.options;
    const spread = JSON.stringify([request.customerId, nameOf(request.keys)]);
    const home = warehouses.get(region ?? homeOfKey(spread, warehouses.names) ?? '') as Warehouse;
    const belongs = { home: home.name, byKey: region === undefined, spread };
    const becauseHome = region === undefined ? this.becauseOfKey(home) : because;
    if (home.presence.isHere && home.watch.latest?.gate.open) {
      try {
        return await this.placeKeyed(request, home, this.inTurn(belongs, becauseHome));
      } catch (error) {
        // Nothing was sent to the home: it has just gone away.
        if (!(error instanceof WarehouseAway)) throw error;
      }
    }
    return this.placeWithoutHome(request, home, this.inTurn(belongs, becauseHome));
  }

  /** A region that exists, `undefined` where the order names none; and why it is that one, where the order did not say so. */
  private regionOf(region: string | undefined): { region: string | undefined; because: Because | null } {
    const { warehouses, routing } = this.options;
    if (region === undefined || warehouses.get(region)) return { region, because: null };
    const { defaultRegion } = routing;
    if (defaultRegion !== undefined) {
      const message = `no warehouse serves the region ${region}; such orders go to ${defaultRegion}`;
      return { region: defaultRegion, because: { code: 'default_region', message } };
    }
    const known = warehouses.names.join(', ');
    throw new ConveyorError('invalid-request', `no warehouse serves the region ${JSON.stringify(region)}; known regions: ${known}`, {
      faults: [{ field: '/region', reason: `must be one of ${known}` }],
    });
  }

  private becauseOfKey(home: Warehouse): Because | null {
    if (this.options.warehouses.all.length === 1) return null;
    return { code: 'key', message: `it names no region; its key belongs to ${home.name}` };
  }

  /** Where the order may go, the best first. The others are ranked only when the home does not take it. */
  private *inTurn(request: RoutingRequest, becauseHome: Because | null): Turns {
    const { warehouses, routing, clock } = this.options;
    const home = request.home === undefined ? undefined : warehouses.get(request.home);
    const first = home && isAtEase(warehouses.candidateOf(home)) ? home : undefined;
    if (first) yield [first, { name: first.name, because: becauseHome }];
    const candidates = warehouses.all.map((warehouse) => warehouses.candidateOf(warehouse));
    for (const { name, because } of rankWarehouses(request, candidates, routing, () => clock.random())) {
      if (name !== first?.name) yield [warehouses.get(name) as Warehouse, { name, because: because ?? becauseHome }];
    }
  }

  /** Without a key: the first that takes it. One that may have taken it ends the search. */
  private async placeFreely(request: OrderRequest, turns: Turns): Promise<Placed> {
    for (const [warehouse, preference] of turns) {
      const order = this.newOrder(request, warehouse, preference, null);
      const verdict = await unlessAway(warehouse.queues.accept.add(order));
      if (verdict) return this.conclude(request, warehouse, order, verdict);
    }
    throw this.allAway();
  }

  /** The home answers: it decides about the key, whoever stores the order. */
  private async placeKeyed(request: OrderRequest, home: Warehouse, turns: Turns): Promise<Placed> {
    let reserved: string | undefined;
    for (const [warehouse, preference] of turns) {
      const order = this.newOrder(request, warehouse, preference, null);
      if (warehouse !== home || reserved !== undefined) {
        const holder = reserved === undefined ? await this.reserve(request, home, order.orderId) : undefined;
        if (holder !== undefined) return this.concludeElsewhere(request, home, holder);
        if (reserved !== undefined) await repoint(home, request, reserved, order.orderId);
        reserved = order.orderId;
        if (warehouse === home) return this.completeHere(request, home, order);
      }
      const verdict = await unlessAway(warehouse.queues.accept.add(order));
      if (!verdict && warehouse === home) throw new WarehouseAway(home.name, 'it has just gone away');
      if (verdict) return this.conclude(request, warehouse, order, verdict, home);
    }
    throw this.allAway();
  }

  /**
   * The home is away, or came back and does not know yet what ran elsewhere: whoever answers is asked for the key first. What
   * is stored elsewhere meanwhile is told to the home when it is back.
   */
  private async placeWithoutHome(request: OrderRequest, home: Warehouse, turns: Turns): Promise<Placed> {
    const holder = await this.findEverywhere(request, home);
    if (holder) return this.concludeElsewhere(request, undefined, holder.orderId);
    for (const [warehouse, preference] of turns) {
      const order = this.newOrder(request, warehouse, preference, warehouse === home ? null : home.name);
      const verdict = await unlessAway(warehouse.queues.accept.add(order));
      if (verdict) return this.conclude(request, warehouse, order, verdict);
    }
    throw this.allAway();
  }

  /** `undefined`: the key leads to the order now. Otherwise the id that it leads to. */
  private async reserve(request: OrderRequest, home: Warehouse, orderId: string): Promise<string | undefined> {
    const { customerId, keys, bodyHash } = request;
    const verdict = await home.queues.reserve.add({ orderId, customerId, keys, bodyHash: bodyHash as Buffer });
    if (verdict.outcome === 'reserved') return undefined;
    return verdict.outcome === 'existing' ? verdict.orderId : refuseKey(verdict.outcome, verdict.key);
  }

  /** Its keys led elsewhere for a moment and lead here now; only the order itself is missing. */
  private async completeHere(request: OrderRequest, home: Warehouse, order: NewOrder): Promise<Placed> {
    try {
      return await this.conclude(request, home, order, await home.queues.accept.add({ ...order, keys: [], bodyHash: null }));
    } catch (error) {
      // Someone else completed it at the same moment.
      const record = await home.queues.read.add(order.orderId);
      if (!record) throw error;
      return { outcome: 'existing', record, warehouse: home };
    }
  }

  private async conclude(
    request: OrderRequest,
    warehouse: Warehouse,
    order: NewOrder,
    verdict: AcceptVerdict,
    home?: Warehouse,
  ): Promise<Placed> {
    switch (verdict.outcome) {
      case 'created':
        return { outcome: 'created', order, acceptedAt: verdict.acceptedAt, warehouse };
      case 'existing':
        // Its key was reserved for this order, but an earlier one stands there already.
        if (home && home !== warehouse && verdict.orderId !== order.orderId) await repoint(home, request, order.orderId, verdict.orderId);
        return { outcome: 'existing', record: await this.readStored(warehouse, verdict.orderId), warehouse };
      case 'elsewhere':
        return this.concludeElsewhere(request, warehouse, verdict.orderId);
      default:
        return refuseKey(verdict.outcome, verdict.key);
    }
  }

  /**
   * The key leads to this order. Where it was reserved and never stored, it is stored now, under the same id: whoever repeats
   * the request completes it.
   */
  private async concludeElsewhere(request: OrderRequest, home: Warehouse | undefined, orderId: string): Promise<Placed> {
    const { warehouses } = this.options;
    const warehouse = warehouses.ofOrder(orderId);
    const record = await warehouse.queues.read.add(orderId);
    if (record) return { outcome: 'existing', record, warehouse };
    const because = { code: 'reserved', message: `an earlier try of this request was routed to ${warehouse.name}` };
    const order = { ...this.newOrder(request, warehouse, { name: warehouse.name, because }, null), orderId };
    if (warehouse === home) return this.completeHere(request, warehouse, order);
    return this.conclude(request, warehouse, order, await warehouse.queues.accept.add(order), home);
  }

  /** The order of one of the keys, in any warehouse that answers; one that is not the home's is preferred: the home's may wait. */
  private async findEverywhere({ customerId, keys, bodyHash }: OrderRequest, home: Warehouse): Promise<KeyHolder | undefined> {
    const here = [...this.options.warehouses.here].sort((a, b) => Number(a === home) - Number(b === home));
    const asked = here.flatMap((warehouse) => keys.map((key) => ({ warehouse, key })));
    const found = await Promise.all(
      asked.map(({ warehouse, key }) =>
        warehouse.queues.findKey.add({ ...key, customerId }).catch((error: unknown) => absentIfAway(warehouse, error)),
      ),
    );
    for (const [index, holder] of found.entries()) {
      if (holder && !holder.bodyHash.equals(bodyHash as Buffer)) refuseKey('other_body', (asked[index] as { key: OrderKey }).key);
    }
    return found.find((holder) => holder !== undefined);
  }

  private async readStored(warehouse: Warehouse, orderId: string): Promise<OrderRecord> {
    const record = await warehouse.queues.read.add(orderId);
    if (!record) throw new Error(`assertion failed: order ${orderId} has a key and does not exist`);
    return record;
  }

  private newOrder(request: OrderRequest, warehouse: Warehouse, { because }: Preference, unsettledHome: string | null): NewOrder {
    const { clock, workflowOf } = this.options;
    const { name, version } = workflowOf(warehouse.name);
    return {
      orderId: newOrderId(warehouse.number, clock.now(), clock.entropy()),
      workflow: name,
      workflowVersion: version,
      ...request,
      routedBecause: because,
      unsettledHome,
    };
  }

  private allAway(): ConveyorError {
    const away = this.options.warehouses.all.map(({ name, presence }) => `${name}: ${presence.awayBecause ?? 'it has just gone away'}`);
    return new ConveyorError('warehouse-unavailable', `no warehouse can take the order (${away.join('; ')})`);
  }
}

/** The key that decides about the home of an order without a region: the header, else the client's own id, else the tracking id. */
function nameOf(keys: readonly OrderKey[]): string {
  const ranked = (['header', 'client', 'tracking'] as const).flatMap((kind) => keys.find((key) => key.kind === kind) ?? []);
  const { kind, key } = ranked[0] as OrderKey;
  return `${kind} ${key}`;
}

/** `undefined`: nothing was sent, another may be asked. */
async function unlessAway(verdict: Promise<AcceptVerdict>): Promise<AcceptVerdict | undefined> {
  try {
    return await verdict;
  } catch (error) {
    if (error instanceof WarehouseAway) return undefined;
    throw error;
  }
}

/** A warehouse that is away cannot tell. Any other failure is none: taking it for "no such key" would make a second order. */
function absentIfAway({ presence }: Warehouse, error: unknown): undefined {
  if (error instanceof WarehouseAway || !presence.isHere) return undefined;
  throw error;
}

async function repoint({ store }: Warehouse, { customerId, keys }: OrderRequest, from: string, to: string): Promise<void> {
  for (const key of keys) await store.peers.repointKey({ ...key, customerId }, from, to);
}
