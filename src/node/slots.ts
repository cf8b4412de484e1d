import type { WorkflowRegistry } from '#engine/registry.ts';
import type { RunEnd } from '#engine/run-order.ts';
import { OrderRun, type RunHost } from '#engine/run-order.ts';
import type { ClaimedOrder } from '#engine/store.ts';
import { Places } from './places.ts';

interface Slot {
  run: OrderRun;
  /** Its last move is on its way: the handler is done. */
  leaving: boolean;
}

export interface SlotsOptions {
  slotCount: number;
  registry: WorkflowRegistry;
  /** What every run of this life shares; slots add their own bookkeeping. */
  host: Omit<RunHost, 'onLeaving' | 'onStaying' | 'takePlace' | 'leavePlace'>;
  onFree: () => void;
  onEnd: (orderId: string, end: RunEnd) => void;
  /** A run broke without an end: a mistake of ours, or a write that the database refuses for good. */
  onBroken: (orderId: string, error: unknown) => void;
}

/**
 * The orders a node has in hand: one in each slot, and the few that were claimed ahead of the slots which are about to become
 * free. No more handlers run at once than there are slots.
 */
export class Slots {
  private readonly options: SlotsOptions;
  private readonly slots = new Map<string, Slot>();
  private readonly places: Places;
  private toldBusy = 0;
  private leavingCount = 0;
  private leftCount = 0;
  private empty = Promise.withResolvers<void>();

  constructor(options: SlotsOptions) {
    this.options = options;
    this.places = new Places(options.slotCount, options.host.clock);
    this.empty.resolve();
  }

  get busy(): number {
    return Math.min(this.options.slotCount, this.inHand);
  }

  /** The same, for others to go by until they are told again: see `toldFull`. */
  tellBusy(): number {
    this.toldBusy = this.busy;
    return this.toldBusy;
  }

  /** Whether others were told that no slot is free: nobody hints to this node then. */
  get toldFull(): boolean {
    return this.toldBusy >= this.options.slotCount;
  }

  /** Orders that this node knows to be its own. */
  get size(): number {
    return this.slots.size;
  }

  get leaving(): number {
    return this.leavingCount;
  }

  /** How many orders have left their slots so far. */
  get left(): number {
    return this.leftCount;
  }

  /** How many orders can be taken if so many are to be claimed ahead. */
  room(ahead: number): number {
    return Math.max(0, this.options.slotCount + ahead - this.inHand);
  }

  orderIds(): ReadonlySet<string> {
    return new Set(this.slots.keys());
  }

  has(orderId: string): boolean {
    return this.slots.has(orderId);
  }

  /** Starts the order's run; an order that is in a slot already stays as it is. */
  start(claimed: ClaimedOrder): void {
    if (this.slots.has(claimed.orderId)) return;
    const workflow = this.options.registry.find(claimed.workflow, claimed.workflowVersion);
    if (!workflow)
      throw new Error(
        `assertion failed: claimed an order of workflow ${claimed.workflow} version ${claimed.workflowVersion}, which is unknown here`,
      );
    const slot: Slot = {
      leaving: false,
      run: new OrderRun(claimed, workflow, {
        ...this.options.host,
        takePlace: (goesOn) => this.places.take(goesOn),
        leavePlace: () => this.places.leave(),
        onLeaving: () => this.setLeaving(slot, true),
        onStaying: () => this.setLeaving(slot, false),
      }),
    };
    if (this.slots.size === 0) this.empty = Promise.withResolvers<void>();
    this.slots.set(claimed.orderId, slot);
    void this.follow(slot);
  }

  cancel(orderId: string): void {
    this.slots.get(orderId)?.run.cancel();
  }

  drainAll(): void {
    for (const { run } of this.slots.values()) run.drain();
    this.places.disturb();
  }

  interruptAll(): void {
    for (const { run } of this.slots.values()) run.interrupt();
    this.places.disturb();
  }

  dropAll(): void {
    for (const { run } of this.slots.values()) run.drop();
    this.places.disturb();
  }

  /** Resolves when no order is in a slot. */
  whenEmpty(): Promise<void> {
    return this.empty.promise;
  }

  private get inHand(): number {
    return this.slots.size - this.leavingCount;
  }

  private setLeaving(slot: Slot, leaving: boolean): void {
    if (slot.leaving === leaving) return;
    slot.leaving = leaving;
    this.leavingCount += leaving ? 1 : -1;
    this.leftCount += leaving ? 1 : -1;
    if (leaving) this.options.onFree();
  }

  private async follow(slot: Slot): Promise<void> {
    const { orderId } = slot.run;
    try {
      const end = await slot.run.run();
      this.remove(orderId, slot);
      this.options.onEnd(orderId, end);
    } catch (error) {
      this.remove(orderId, slot);
      this.options.onBroken(orderId, error);
    }
  }

  private remove(orderId: string, slot: Slot): void {
    if (slot.leaving) this.leavingCount -= 1;
    else this.leftCount += 1;
    this.slots.delete(orderId);
    if (!slot.leaving) this.options.onFree();
    if (this.slots.size === 0) this.empty.resolve();
  }
}
