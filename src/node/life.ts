import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep, type Timer } from '#engine/clock.ts';
import type { Isolation } from '#engine/handler.ts';
import { Lease, type LeaseSettings } from '#engine/lease.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { RunEnd } from '#engine/run-order.ts';
import type { ClaimedOrder, Hint, Liveness, Store, Subscription, TickReport } from '#engine/store.ts';
import { Ticker } from '#engine/ticker.ts';
import { ClaimLoop } from './claim-loop.ts';
import { GateKeeper } from './gate-keeper.ts';
import { LeaderChores } from './leader-chores.ts';
import { Leadership } from './leadership.ts';
import { MoveWriter } from './move-writer.ts';
import { Slots } from './slots.ts';
import type { NodeStats } from './stats.ts';
import { SurplusWatch } from './surplus.ts';
import { Takeover } from './takeover.ts';

export interface LifeOptions {
  store: Store;
  session: number;
  /** When the statement that opened the session was sent, by the monotonic clock: its lease counts from there. */
  openedAt: number;
  registry: WorkflowRegistry;
  slotCount: number;
  lease: LeaseSettings;
  clock: Clock;
  log: Log;
  stats: NodeStats;
  isolation: Isolation | undefined;
  /** How long the gate may hold orders after an outage. */
  gateLimitMs: number;
  /** How long orders are kept after their end; `undefined`: for ever. */
  retentionMs: number | undefined;
  /** The node was draining in its last life, and still is. */
  draining: boolean;
  /** An operator wants the node to drain (or not any more), or to stop. */
  onDrain: (draining: boolean) => void;
  onStop: () => void;
}

const SIGN_OFF_TRIES = 20;
const SIGN_OFF_PAUSE_MS = 50;
/** What is in hand bounds the rate, as each order waits for five writes: docs/decisions/0012. */
const MAX_AHEAD_PER_SLOT = 8;
/** The leader ticks more often than the others, by this factor: a death is noticed the sooner. */
const LEADER_PACE = 2 / 3;

/**
 * One life of a node: from its session's begin until it leaves in good order or finds that it was declared dead.
 * `ended` resolves with which of the two it was.
 */
export class NodeLife {
  readonly session: number;
  readonly ended: Promise<'left' | 'dead'>;
  private readonly options: LifeOptions;
  private readonly lease: Lease;
  private readonly writer: MoveWriter;
  private readonly slots: Slots;
  private readonly claimLoop: ClaimLoop;
  private readonly takeover: Takeover;
  private readonly ticker: Ticker;
  private readonly leadership: Leadership;
  private readonly surplus: SurplusWatch;
  private readonly gateKeeper: GateKeeper;
  private readonly chores: LeaderChores;
  private readonly end = Promise.withResolvers<'left' | 'dead'>();
  private subscription: Subscription | undefined;
  private deadlineTimer: Timer | undefined;
  private suspended = false;
  private draining: boolean;
  private leaving = false;
  private askedToDrain: boolean;
  private over = false;
  private liveness: Liveness = 'unavailable';
  private livenessLostAt = 0;
  private databaseAnswers = true;

  constructor(options: LifeOptions) {
    const { clock, store, session, lease, slotCount, isolation } = options;
    this.options = options;
    this.session = session;
    this.ended = this.end.promise;
    this.lease = new Lease(lease);
    this.draining = options.draining;
    this.askedToDrain = options.draining;
    this.surplus = new SurplusWatch(clock);
    this.leadership = new Leadership(session, options.log);
    this.gateKeeper = new GateKeeper({ store, session, ttlMs: lease.ttlMs, limitMs: options.gateLimitMs, log: options.log });
    this.chores = new LeaderChores({ store, session, clock, log: options.log, retentionMs: options.retentionMs });
    this.takeover = new Takeover({
      ...{ store, session, ttlMs: lease.ttlMs, periodMs: lease.heartbeatMs, clock, stats: options.stats },
      log: options.log.child({ session }),
      onWork: () => this.claimLoop.wake(),
    });
    this.ticker = new Ticker({
      clock,
      intervalMs: () => (this.isLeader ? lease.heartbeatMs * LEADER_PACE : this.takeover.nextTickMs),
      turn: () => this.tick(),
    });
    this.writer = new MoveWriter({
      clock,
      write: (moves) => store.advanceOrders(session, moves),
      onLostAnswer: (error) => this.noteLostAnswer(error),
    });
    this.slots = new Slots({
      slotCount,
      registry: options.registry,
      host: {
        clock,
        log: options.log.child({ session }),
        advance: (move) => this.writer.write(move),
        mayWork: () => this.mayWork(),
        isolate: isolation && (() => isolation.open({ session })),
        onAbandonedHandler: () => {
          options.stats.abandonedHandlers += 1;
        },
      },
      onFree: () => this.claimLoop.slotFreed(),
      onEnd: (orderId, end) => this.noteEnd(orderId, end),
      onBroken: (orderId, error) => this.noteBroken(orderId, error),
    });
    this.claimLoop = new ClaimLoop({
      clock,
      room: (ahead) => (this.mayWork() && !this.draining ? this.slots.room(ahead) : 0),
      left: () => this.slots.left,
      maxAhead: slotCount * MAX_AHEAD_PER_SLOT,
      claim: (limit) => store.claimOrders(session, limit),
      start: (order) => this.takeClaimed(order),
      onLostAnswer: (error) => this.noteLostAnswer(error),
      onQuiet: () => this.slots.toldFull && this.ticker.soon(),
    });
  }

  get busy(): number {
    return this.slots.busy;
  }

  /** Orders whose handlers are done and whose last move is on its way. */
  get queueSize(): number {
    return this.slots.leaving;
  }

  get livenessState(): Liveness {
    return this.liveness;
  }

  /** Whether a turn of the loop ended within the time of a lease, whatever the database answered. */
  get isTurning(): boolean {
    return this.options.clock.monotonic() - this.ticker.turnedAt < this.options.lease.ttlMs;
  }

  async begin(): Promise<void> {
    this.renewLease(this.options.openedAt);
    this.subscription = await this.options.store.attendSession(this.session, {
      onHint: (hint) => this.takeHint(hint),
      onLiveness: (liveness) => this.takeLiveness(liveness),
    });
    this.claimLoop.wake();
    this.ticker.start();
  }

  get isLeader(): boolean {
    return this.leadership.term !== undefined;
  }

  /** Takes nothing new; what runs goes on to the end of its present step, then back to the queue. Aborts it after `graceMs`. */
  async leave(graceMs: number): Promise<void> {
    if (this.over) return;
    this.draining = true;
    this.leaving = true;
    this.claimLoop.stop();
    this.ticker.soon();
    this.slots.drainAll();
    const timer = this.options.clock.after(graceMs, () => this.slots.interruptAll());
    await Promise.race([this.slots.whenEmpty(), this.ended]);
    timer.cancel();
    if (this.over) return;
    this.close();
    await this.signOff();
    await this.options.store.wakeNodes(this.options.slotCount).catch(() => undefined);
    this.end.resolve('left');
  }

  /** A statement of ours that is still under way holds the session for a moment: then it is asked again. */
  private async signOff(): Promise<void> {
    const { store, clock, log } = this.options;
    try {
      for (let tries = 0; tries < SIGN_OFF_TRIES; tries += 1) {
        if ((await store.endSessions([this.session], 'left')).length > 0) return;
        await sleep(clock, SIGN_OFF_PAUSE_MS);
      }
    } catch (error) {
      log.warn({ session: this.session, error: messageOf(error) }, 'could not sign off; the lease runs out by itself');
    }
  }

  private takeClaimed(order: ClaimedOrder): void {
    this.options.stats.countPulled(order);
    this.slots.start(order);
    // A claim that was under way when the node began to leave.
    if (this.leaving) this.slots.drainAll();
  }

  private mayWork(): boolean {
    return !this.over && !this.suspended && this.lease.isHeldAt(this.options.clock.monotonic());
  }

  private close(): void {
    this.over = true;
    this.claimLoop.stop();
    this.ticker.stop();
    this.deadlineTimer?.cancel();
    this.takeover.close();
    this.writer.reset();
    this.slots.dropAll();
    void this.subscription?.close();
  }

  private takeHint(hint: Hint): void {
    if (this.over) return;
    if (hint === 'work') this.claimLoop.wake();
    else this.ticker.soon();
  }

  private async tick(): Promise<void> {
    const { store, lease, clock, log, stats } = this.options;
    const sentAt = clock.monotonic();
    let report: TickReport | undefined;
    try {
      report = await store.tick(this.session, lease.ttlMs, {
        busy: this.slots.tellBusy(),
        draining: this.draining,
        hasLiveness: this.liveness !== 'unavailable',
        lookForLost: this.takeover.wantsLook,
        leading: this.leaving ? undefined : this.leadership.bid(),
        counts: stats,
      });
    } catch (error) {
      if (this.databaseAnswers) log.warn({ session: this.session, error: messageOf(error) }, 'heartbeat failed; trying on');
      this.databaseAnswers = false;
      this.takeover.noteTrouble();
      this.leadership.follow(undefined);
      return;
    }
    if (this.over) return;
    if (!report) return this.die();
    if (!this.databaseAnswers) log.info({ session: this.session }, 'the database answers again');
    this.databaseAnswers = true;
    this.renewLease(sentAt);
    await this.followReport(report);
  }

  private async followReport(report: TickReport): Promise<void> {
    this.leadership.follow(report.leaderTerm);
    this.takeover.follow(report);
    this.followWishes(report);
    if (report.workDue) this.claimLoop.wake();
    if (this.liveness === 'lost') return this.waitForLiveness();
    if (this.writer.hasGivenUp) return this.beginAnew('what became of its last writes cannot be known any more');
    this.resume();
    try {
      if (this.surplus.isDue(report.ownedCount, this.slots.size)) this.reconcileSoon(report.gateShut);
      await this.takeover.checkLeases(report, this.isLeader);
      await this.gateKeeper.follow(report);
      this.chores.follow(this.isLeader);
      if (this.isLeader) this.leadership.noteWork();
    } catch (error) {
      this.options.log.debug({ session: this.session, error: messageOf(error) }, 'a chore failed; the next tick tries again');
    }
  }

  private followWishes({ cancelRequests, asked }: TickReport): void {
    for (const orderId of cancelRequests) this.slots.cancel(orderId);
    if (this.leaving) return;
    if (asked === 'stop') {
      this.options.onStop();
      return;
    }
    const wantsDrain = asked === 'drain';
    if (wantsDrain === this.askedToDrain) return;
    this.askedToDrain = wantsDrain;
    this.draining = wantsDrain;
    this.options.onDrain(wantsDrain);
    this.options.log.info(
      { session: this.session },
      wantsDrain ? 'asked to drain: taking no new orders' : 'asked to go on: taking orders again',
    );
    this.claimLoop.wake();
  }

  private takeLiveness(liveness: Liveness): void {
    if (this.over) return;
    const { clock, log } = this.options;
    this.liveness = liveness;
    if (liveness === 'lost') {
      this.livenessLostAt = clock.monotonic();
      this.takeover.noteTrouble();
      log.warn({ session: this.session, orders: this.slots.busy }, 'the liveness connection is lost: others may take over');
      this.suspend();
    }
    this.ticker.soon();
  }

  /** The database answers, but the lock is not ours again. Where nobody ends this session meanwhile, it ends itself and begins anew. */
  private async waitForLiveness(): Promise<void> {
    const { clock, lease } = this.options;
    if (clock.monotonic() - this.livenessLostAt >= lease.ttlMs) await this.beginAnew('the liveness lock cannot be taken again');
  }

  private async beginAnew(because: string): Promise<void> {
    this.options.log.warn({ session: this.session, because }, 'beginning a new session');
    const ended = await this.options.store.endSessions([this.session], 'left').catch(() => []);
    if (ended.length > 0 && !this.over) this.die();
  }

  /** Beside the ticks: a claim that hangs must not keep the lease from being renewed. */
  private reconcileSoon(gateShut: boolean): void {
    this.surplus.begin();
    const done = this.claimLoop.whileStill(() => this.reconcile(gateShut));
    done.catch((error: unknown) => this.noteLostAnswer(error));
  }

  /** Works the orders that are ours according to the database and that no slot knows of; those the gate holds, later. */
  private async reconcile(gateShut: boolean): Promise<void> {
    const { store, log } = this.options;
    // Doubted again while a claim was waited for: the next tick looks, with what it knows of the gate by then.
    if (this.surplus.isDoubtful) return;
    // What ends while the question is under way may be in its answer still.
    const inHand = this.slots.orderIds();
    const owned = await store.readOwnedOrders(this.session);
    if (!this.mayWork() || this.writer.hasGivenUp) return;
    for (const order of owned) {
      if (inHand.has(order.orderId) || this.slots.has(order.orderId)) continue;
      if (gateShut && order.keyed) {
        this.surplus.doubt();
        continue;
      }
      log.info({ session: this.session, order: order.orderId }, 'taking up an order that was ours already');
      this.slots.start(order);
    }
    if (this.leaving) this.slots.drainAll();
  }

  private renewLease(sentAt: number): void {
    const { clock } = this.options;
    this.lease.renewedBy(sentAt);
    this.deadlineTimer?.cancel();
    this.deadlineTimer = clock.after(Math.max(0, this.lease.deadline - clock.monotonic()), () => this.suspend());
  }

  /** Lease or liveness could not be kept: stops every handler before anyone may take over. A later heartbeat may find the session alive. */
  private suspend(): void {
    if (this.over || this.suspended) return;
    this.suspended = true;
    this.options.log.error({ session: this.session, orders: this.slots.busy }, 'stopping all handlers until the session is safe again');
    this.writer.reset();
    this.slots.dropAll();
  }

  private resume(): void {
    if (!this.suspended) return;
    this.suspended = false;
    this.surplus.doubt();
    this.options.log.info({ session: this.session }, 'the session is held again; going on');
  }

  private die(): void {
    this.options.log.error({ session: this.session, orders: this.slots.busy }, 'this session was declared dead: dropping what it held');
    this.close();
    this.end.resolve('dead');
  }

  private noteLostAnswer(error: unknown): void {
    this.surplus.doubt();
    this.options.log.debug({ session: this.session, error: messageOf(error) }, 'an answer of the database was lost');
  }

  private noteEnd(orderId: string, end: RunEnd): void {
    this.options.stats.countEnd(end);
    // While this node leaves, what it hands back goes on elsewhere at once.
    if (end === 'handed_back') void this.options.store.wakeNodes(1).catch(() => undefined);
    if (end === 'fenced') {
      this.surplus.doubt();
      this.options.log.warn({ session: this.session, order: orderId }, 'a write was refused: the order is not ours any more');
    } else if (end === 'needs_attention') {
      this.options.log.error({ session: this.session, order: orderId }, 'an undo cannot succeed: the order needs a person');
    }
  }

  private noteBroken(orderId: string, error: unknown): void {
    this.options.stats.processExceptions += 1;
    this.options.log.error(
      { session: this.session, order: orderId, error: messageOf(error) },
      'an order left its slot without an end; it is taken up again',
    );
  }
}
