import type { RunEnd } from '#engine/run-order.ts';
import type { ClaimedOrder } from '#engine/store.ts';

/** What a node did in all its lives. */
export interface NodeCounts {
  pulledOrders: number;
  pulledNewOrders: number;
  /** Orders that had begun: handed over by a node that died, or handed back by one that left. */
  pulledZombieOrders: number;
  /** Orders whose wait for a retry was over. */
  pulledTimedOutOrders: number;
  processed: number;
  processCompleted: number;
  processFailed: number;
  processCancelled: number;
  fencedWrites: number;
  processExceptions: number;
  /** Handlers that ignored their abort signal and were left behind. */
  abandonedHandlers: number;
  /** Sessions of others that this node ended, and the orders it handed on with them. */
  takeovers: number;
  handedOver: number;
}

export class NodeStats implements NodeCounts {
  pulledOrders = 0;
  pulledNewOrders = 0;
  pulledZombieOrders = 0;
  pulledTimedOutOrders = 0;
  processed = 0;
  processCompleted = 0;
  processFailed = 0;
  processCancelled = 0;
  fencedWrites = 0;
  processExceptions = 0;
  abandonedHandlers = 0;
  takeovers = 0;
  handedOver = 0;

  countPulled({ version, retries }: Pick<ClaimedOrder, 'version' | 'retries'>): void {
    this.pulledOrders += 1;
    // Accepted and claimed: nothing else has happened to it.
    if (version <= 2) this.pulledNewOrders += 1;
    else if (retries > 0) this.pulledTimedOutOrders += 1;
    else this.pulledZombieOrders += 1;
  }

  countEnd(end: RunEnd): void {
    if (end === 'fenced') this.fencedWrites += 1;
    if (end === 'completed') this.processCompleted += 1;
    if (end === 'failed') this.processFailed += 1;
    if (end === 'cancelled') this.processCancelled += 1;
    if (end === 'completed' || end === 'failed' || end === 'cancelled') this.processed += 1;
  }
}
