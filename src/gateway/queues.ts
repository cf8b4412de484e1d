import { ConveyorError } from '#domain/errors.ts';
import type { OrderRecord } from '#domain/order.ts';
import { Batcher } from '#engine/batcher.ts';
import type { CustomerKey, KeyHolder, KeyReservation, ReserveVerdict } from '#engine/peer-store.ts';
import type { AcceptVerdict, NewOrder, Store } from '#engine/store.ts';
import { countCreated } from '#engine/verdicts.ts';

/** In overload a turn of the event loop takes long, and only a batch or two go out in each. */
const ACCEPT_BATCH = 1_000;
const READ_BATCH = 100;
const MAX_WAITING_READS = 10_000;
const IN_FLIGHT = 2;

/** What waits to be written to or read from one warehouse, in batches. */
export interface WarehouseQueues {
  accept: Batcher<NewOrder, AcceptVerdict>;
  read: Batcher<string, OrderRecord | undefined>;
  findKey: Batcher<CustomerKey, KeyHolder | undefined>;
  reserve: Batcher<KeyReservation, ReserveVerdict>;
}

export interface QueueOptions {
  maxWaitingOrders: number;
  acceptBatch?: number | undefined;
  onCreated: (count: number) => void;
}

/** Group commit for one warehouse: all requests that wait become one statement, each answered after its commit. */
export function warehouseQueues(store: Store, options: QueueOptions): WarehouseQueues {
  const flush = async (orders: NewOrder[]): Promise<AcceptVerdict[]> => {
    const verdicts = await store.acceptOrders(orders, { hint: true });
    const created = countCreated(verdicts);
    if (created > 0) options.onCreated(created);
    return verdicts;
  };
  const writing = {
    maxBatch: options.acceptBatch ?? ACCEPT_BATCH,
    maxInFlight: IN_FLIGHT,
    maxWaiting: options.maxWaitingOrders,
    isItemFault,
  };
  const reading = { maxBatch: READ_BATCH, maxInFlight: IN_FLIGHT, maxWaiting: MAX_WAITING_READS, isItemFault };
  return {
    accept: new Batcher({ ...writing, flush }),
    reserve: new Batcher({ ...writing, flush: (reservations) => store.peers.reserveKeys(reservations) }),
    read: new Batcher({ ...reading, flush: (orderIds) => store.readOrders(orderIds) }),
    findKey: new Batcher({ ...reading, flush: (keys) => store.peers.findKeys(keys) }),
  };
}

/** What is no expected failure may be the fault of a single order: the others must not suffer for it. */
function isItemFault(error: unknown): boolean {
  return !(error instanceof ConveyorError);
}
