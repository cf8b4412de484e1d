import type { WorkflowRegistry } from '#engine/registry.ts';
import type { RunEnd } from '#engine/run-order.ts';
import { OrderRun, type RunHost } from '#engine/run-order.ts';
import type { ClaimedOrder } from '#engine/store.ts';

interface Slot {
  run: OrderRun;
  /** Its last move is on its way: the handler is done. */
  leaving: boolean;
}

export interface SlotsOptions {
  slotCount: number;
  registry: WorkflowRegistry;
  /** What every run of this life shares; slots add their own bookkeeping. */
  host: Omit<RunHost, 'onLeaving' | 'onStaying'>;
  onFree: () => void;
  onEnd: (orderId: string, end: RunEnd) => void;
  /** A run broke without an end: a mistake of ours, or a write that the database refuses for good. */
  onBroken: (orderId: string, error: unknown) => void;
}

/** The orders a node works, one in each slot. */
export class Slots {
  private readonly options: SlotsOptions;
  private readonly slots = new Map<string, Slot>();
  private leavingCount = 0;
  private empty = Promise.withResolvers<void>();

  constructor(options: SlotsOptions) {
    this.options = options;
    this.empty.resolve();
  }

  get busy(): number {
    return this.slots.size - this.leavingCount;
  }

  /** Orders that this node knows to be its own. */
  get size(): number {
    return this.slots.size;
  }

  get leaving(): number {
    return this.leavingCount;
  }

  get free(): number {
    return Math.max(0, this.options.slotCount - this.busy);
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
  }

  interruptAll(): void {
    for (const { run } of this.slots.values()) run.interrupt();
  }

  dropAll(): void {
    for (const { run } of this.slots.values()) run.drop();
  }

  /** Resolves when no order is in a slot. */
  whenEmpty(): Promise<void> {
    return this.empty.promise;
  }

  private setLeaving(slot: Slot, leaving: boolean): void {
    if (slot.leaving === leaving) return;
    slot.leaving = leaving;
    this.leavingCount += leaving ? 1 : -1;
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
    this.slots.delete(orderId);
    if (!slot.leaving) this.options.onFree();
    if (this.slots.size === 0) this.empty.resolve();
  }
}
