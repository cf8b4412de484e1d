import { ConveyorError } from '#domain/errors.ts';
import { isUuid, warehouseOfId } from '#domain/ids.ts';
import type { Store } from '#engine/store.ts';

export interface Route {
  store: Store;
  because: { code: string; message: string };
}

/** Which warehouse an order belongs to. */
export class Routing {
  readonly stores: readonly Store[];
  private readonly byName = new Map<string, Store>();
  private readonly byNumber = new Map<number, Store>();

  constructor(stores: readonly Store[]) {
    this.stores = stores;
    for (const store of stores) {
      const { name, number } = store.warehouse;
      const other = this.byNumber.get(number);
      if (other) throw new Error(`warehouses ${other.warehouse.name} and ${name} have the same number ${number}: rename one of them`);
      this.byName.set(name, store);
      this.byNumber.set(number, store);
    }
  }

  /** Of a new order: its region's warehouse, else the first. The same content always goes the same way, so a key finds its order. */
  routeNew(region: string | undefined): Route {
    const home = region === undefined ? undefined : this.byName.get(region);
    if (home) return { store: home, because: { code: 'home', message: `${region} is the order's region` } };
    const [first] = this.stores;
    if (!first) throw new Error('assertion failed: a gateway has at least one warehouse');
    const found = region === undefined ? 'the order names no region' : `no warehouse is called ${JSON.stringify(region)}`;
    return { store: first, because: { code: 'default', message: `${found}; ${first.warehouse.name} takes such orders` } };
  }

  /** Of an order that exists: its id tells. */
  routeId(orderId: string): Store {
    if (!isUuid(orderId)) throw new ConveyorError('invalid-order-id', `${JSON.stringify(orderId.slice(0, 100))} is no UUID`);
    const store = this.byNumber.get(warehouseOfId(orderId));
    if (!store) throw unknownOrder(orderId);
    return store;
  }

  /** The warehouses a list is asked for. */
  select(name: string | undefined): readonly Store[] {
    if (name === undefined) return this.stores;
    const store = this.byName.get(name);
    if (store) return [store];
    const known = [...this.byName.keys()].join(', ');
    throw new ConveyorError('invalid-request', `no warehouse is called ${JSON.stringify(name)}; known: ${known}`, {
      faults: [{ field: 'warehouse', reason: `must be one of ${known}` }],
    });
  }
}

/** The same words for an order that does not exist and for another customer's. */
export function unknownOrder(orderId: string): ConveyorError {
  return new ConveyorError('order-not-found', `there is no order ${orderId.toLowerCase()} that this token may see`);
}
