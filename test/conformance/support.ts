import { createHash, randomUUID } from 'node:crypto';
import { newOrderId } from '#domain/ids.ts';
import type { OrderEvent, OrderRecord } from '#domain/order.ts';
import type { EventKind, OrderState } from '#domain/order-state.ts';
import { systemClock } from '#engine/clock.ts';
import type { Closing } from '#engine/plan.ts';
import type { ClaimedOrder, MoveVerdict, NewOrder, NodeDescription, NodeLoad, OrderKey, OrderMove, Store } from '#engine/store.ts';
import { newOrder as newOrderOfNow, ORDER_WORKFLOW } from '#test/orders.ts';

/** One store under test, with what the suite needs besides the port. */
export interface StoreUnderTest {
  store: Store;
  /** Another process's store of the same database. */
  openSecond(): Promise<Store>;
  /** Makes the session's lease run out now. */
  expireSession(session: number): Promise<void>;
  /** Makes the leader's lease run out now, or its work look as if it had stood still for very long. */
  expireLeader(what: 'lease' | 'work'): Promise<void>;
  /** So many seconds pass, or everything happened so much earlier; a multiple of ten. */
  letPass(seconds: number): Promise<void>;
  /** What a restart of the server changes. */
  changeEpoch(): Promise<void>;
  close(): Promise<void>;
}

export const TTL_MS = 60_000;

export function describeNode(changes: Partial<NodeDescription> = {}): NodeDescription {
  return {
    nodeId: randomUUID(),
    nodeName: 'quiet-otter',
    slots: 50,
    version: '1.2.3',
    host: 'localhost',
    pid: 4711,
    address: undefined,
    workflows: [{ name: ORDER_WORKFLOW.name, version: ORDER_WORKFLOW.version }],
    ...changes,
  };
}

/** What a node says that has nothing special to say. */
export function loadOf(changes: Partial<NodeLoad> = {}): NodeLoad {
  return {
    busy: 0,
    draining: false,
    hasLiveness: false,
    lookForLost: false,
    leading: undefined,
    counts: { fencedWrites: 0, takeovers: 0, handedOver: 0 },
    ...changes,
  };
}

let lastMoment = 0;

/** A new order whose id is greater than every one made here before, also within a millisecond. */
export function newOrder(changes: Partial<NewOrder> = {}): NewOrder {
  lastMoment = Math.max(systemClock.now(), lastMoment + 1);
  return newOrderOfNow({ orderId: newOrderId(1, lastMoment, systemClock.entropy()), ...changes });
}

export function freshKey(): OrderKey {
  return { kind: 'header', key: randomUUID() };
}

/** What is kept of a request's body. */
export function bodyOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

export async function acceptOne(store: Store, changes: Partial<NewOrder> = {}): Promise<string> {
  const order = newOrder(changes);
  await store.acceptOrders([order]);
  return order.orderId;
}

/** Takes whatever waits out of the way, so that a test meets its own orders only. */
export async function clearQueue(store: Store): Promise<void> {
  const session = await store.openSession(describeNode(), TTL_MS);
  while ((await store.claimOrders(session, 1_000)).length > 0);
}

/** The order of this id, claimed by the session together with whatever else waits. */
export async function claimOne(store: Store, session: number, orderId: string): Promise<ClaimedOrder> {
  const claimed = (await store.claimOrders(session, 1_000)).find((order) => order.orderId === orderId);
  if (!claimed) throw new Error(`order ${orderId} was not claimed by session ${session}`);
  return claimed;
}

/** A move that follows on a claim; `after` counts the moves of the claim before it. */
export function moveOf(claimed: ClaimedOrder, kind: EventKind, changes: Partial<OrderMove> = {}, after = 0): OrderMove {
  const { orderId, fence, version, step, direction } = claimed;
  return { orderId, fence, version: version + 1 + after, kind, step, direction, data: null, closing: undefined, ...changes };
}

/** A move that ends the session's hold on the order where it stands. */
export function closingOf(claimed: ClaimedOrder, kind: EventKind, state: OrderState, changes: Partial<Closing> = {}): OrderMove {
  const { step, direction } = claimed;
  return moveOf(claimed, kind, { closing: { state, at: { step, direction }, retries: 0, delayMs: 0, ...changes } });
}

export async function advanceOne(store: Store, session: number, move: OrderMove): Promise<MoveVerdict | undefined> {
  return (await store.advanceOrders(session, [move]))[0];
}

/** Carries a claimed order through this many steps. */
export async function completeSteps(store: Store, session: number, claimed: ClaimedOrder, count: number): Promise<void> {
  for (let done = 0; done < count; done += 1) {
    const step = claimed.step + done;
    await advanceOne(store, session, moveOf(claimed, 'step_completed', { step, data: { result: { step } } }, done));
  }
}

/** Accepts an order, claims it, and carries it through all its steps. */
export async function completeOrder(store: Store, session: number, orderId: string): Promise<void> {
  const claimed = await claimOne(store, session, orderId);
  await completeSteps(store, session, claimed, 3);
  const at = { step: 4, direction: 'forward' } as const;
  await advanceOne(
    store,
    session,
    moveOf(claimed, 'completed', { step: 4, closing: { state: 'completed', at, retries: 0, delayMs: 0 } }, 3),
  );
}

export async function readOne(store: Store, orderId: string): Promise<OrderRecord> {
  const [record] = await store.readOrders([orderId]);
  if (!record) throw new Error(`order ${orderId} is not there`);
  return record;
}

export async function kindsOf(store: Store, orderId: string): Promise<EventKind[]> {
  return (await readOne(store, orderId)).events.map(({ kind }) => kind);
}

export async function lastEventOf(store: Store, orderId: string): Promise<OrderEvent> {
  return (await readOne(store, orderId)).events.at(-1) as OrderEvent;
}

export { ORDER_WORKFLOW };
