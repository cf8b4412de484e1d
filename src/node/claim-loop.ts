import { type Clock, jittered, sleep } from '#engine/clock.ts';
import type { ClaimedOrder } from '#engine/store.ts';

export interface ClaimLoopOptions {
  clock: Clock;
  /** How many orders can be taken if so many are to be claimed ahead of the free slots. */
  room: (ahead: number) => number;
  /** How many orders have left their slots so far. */
  left: () => number;
  /** Most orders to claim ahead. */
  maxAhead: number;
  claim: (limit: number) => Promise<ClaimedOrder[]>;
  start: (order: ClaimedOrder) => void;
  /** The answer to a claim was lost: orders may be ours that we do not know of. */
  onLostAnswer: (error: unknown) => void;
  /** There is room and no work: from now on it waits to be told. */
  onQuiet: () => void;
}

const RETRY_AFTER_MS = 200;
/** An order that was claimed waits for the records of the others too. What was measured around it: docs/decisions/0012. */
const AHEAD_CLAIM_TIMES = 6;

/**
 * Takes work into free slots. Claims when told that there is work, and again as long as a claim came back full; else it is
 * quiet. While every slot is busy nobody hints, so being full counts as having been told.
 *
 * It claims ahead, so that no slot stands empty for the time a claim and the records before it take: as many orders more than there
 * are free slots as leave theirs in a few times the time of a claim. With steps of seconds that is none, with steps of no time a
 * batch or two.
 */
export class ClaimLoop {
  private readonly options: ClaimLoopOptions;
  private workMayWait = false;
  private ahead = 0;
  private lastClaim = { at: Number.NEGATIVE_INFINITY, left: 0 };
  private running = false;
  private turn: Promise<void> = Promise.resolve();
  private stillCount = 0;
  private stopped = false;

  constructor(options: ClaimLoopOptions) {
    this.options = options;
  }

  /** There may be work. */
  wake(): void {
    this.workMayWait = true;
    this.kick();
  }

  /** A slot became free: goes on where a full claim stopped. */
  slotFreed(): void {
    if (this.workMayWait) this.kick();
  }

  stop(): void {
    this.stopped = true;
  }

  /** Does this while no claim is under way: every order that was claimed before is known then. */
  async whileStill<Result>(work: () => Promise<Result>): Promise<Result> {
    this.stillCount += 1;
    try {
      await this.turn;
      return await work();
    } finally {
      this.stillCount -= 1;
      if (this.workMayWait) this.kick();
    }
  }

  /** By what left since the claim before. */
  private planAhead(sentAt: number): number {
    const { clock, left, maxAhead } = this.options;
    const before = this.lastClaim;
    const now = { at: clock.monotonic(), left: left() };
    this.lastClaim = now;
    const perMs = (now.left - before.left) / Math.max(1, now.at - before.at);
    return Math.min(maxAhead, Math.round(AHEAD_CLAIM_TIMES * perMs * (now.at - sentAt)));
  }

  private kick(): void {
    if (this.running || this.stopped || this.stillCount > 0) return;
    this.running = true;
    // One turn later: whatever else becomes free or is written in this turn goes first.
    setImmediate(() => {
      this.turn = this.run();
    });
  }

  private async run(): Promise<void> {
    const { clock, room } = this.options;
    while (!this.stopped && this.stillCount === 0 && this.workMayWait && room(this.ahead) > 0) {
      this.workMayWait = false;
      try {
        const limit = room(this.ahead);
        const sentAt = clock.monotonic();
        const orders = await this.options.claim(limit);
        const isFull = orders.length >= limit;
        this.ahead = isFull ? this.planAhead(sentAt) : 0;
        for (const order of orders) this.options.start(order);
        if (isFull || room(0) === 0) this.workMayWait = true;
      } catch (error) {
        this.workMayWait = true;
        this.options.onLostAnswer(error);
        await sleep(this.options.clock, jittered(this.options.clock, RETRY_AFTER_MS));
      }
    }
    this.running = false;
    if (!this.stopped && !this.workMayWait) this.options.onQuiet();
  }
}
