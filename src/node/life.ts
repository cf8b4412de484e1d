import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep, type Timer } from '#engine/clock.ts';
import { Lease, type LeaseSettings } from '#engine/lease.ts';
import type { Log } from '#engine/log.ts';
import type { WorkflowRegistry } from '#engine/registry.ts';
import type { RunEnd } from '#engine/run-order.ts';
import type { Hint, Store, Subscription, TickReport } from '#engine/store.ts';
import { ClaimLoop } from './claim-loop.ts';
import { MoveWriter } from './move-writer.ts';
import { Slots } from './slots.ts';
import type { NodeStats } from './stats.ts';
import { SessionWatch } from './watch.ts';

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
}

/** How often a node asks which orders it owns, beyond every time an answer was lost. */
const RECONCILE_EVERY_MS = 5_000;
const SIGN_OFF_TRIES = 20;
const SIGN_OFF_PAUSE_MS = 50;

/**
 * One life of a node: from its session's begin until it leaves in good order or finds that it was declared dead.
 * `ended` resolves with which of the two it was.
 */
export class NodeLife {
  readonly session: number;
  readonly ended: Promise<'left' | 'dead'>;
  private readonly options: LifeOptions;
  private readonly lease: Lease;
  private readonly watch: SessionWatch;
  private readonly writer: MoveWriter;
  private readonly slots: Slots;
  private readonly claimLoop: ClaimLoop;
  private readonly end = Promise.withResolvers<'left' | 'dead'>();
  private subscription: Subscription | undefined;
  private tickTimer: Timer | undefined;
  private deadlineTimer: Timer | undefined;
  private ticking: Promise<void> | undefined;
  private suspended = false;
  private draining = false;
  private over = false;
  private reconcileAt: number;
  private databaseAnswers = true;

  constructor(options: LifeOptions) {
    const { clock, store, session, lease, slotCount } = options;
    this.options = options;
    this.session = session;
    this.ended = this.end.promise;
    this.lease = new Lease(lease);
    this.watch = new SessionWatch(lease.ttlMs);
    this.reconcileAt = clock.monotonic() + RECONCILE_EVERY_MS;
    this.writer = new MoveWriter({
      clock,
      slotCount,
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
      freeSlots: () => (this.mayWork() ? this.slots.free : 0),
      claim: (limit) => store.claimOrders(session, limit),
      start: (order) => {
        options.stats.countPulled(order.version <= 2);
        this.slots.start(order);
      },
      onLostAnswer: (error) => this.noteLostAnswer(error),
    });
  }

  get busy(): number {
    return this.slots.busy;
  }

  async begin(): Promise<void> {
    this.renewLease(this.options.openedAt);
    this.subscription = await this.options.store.listenForWork(this.session, (hint) => this.takeHint(hint));
    this.claimLoop.wake();
    this.scheduleTick();
  }

  /** Takes nothing new; what runs goes on to the end of its present step, then back to the queue. Aborts it after `graceMs`. */
  async leave(graceMs: number): Promise<void> {
    if (this.over) return;
    this.draining = true;
    this.claimLoop.stop();
    this.tickSoon();
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

  private mayWork(): boolean {
    return !this.over && !this.suspended && this.lease.isHeldAt(this.options.clock.monotonic());
  }

  private close(): void {
    this.over = true;
    this.claimLoop.stop();
    this.tickTimer?.cancel();
    this.deadlineTimer?.cancel();
    this.writer.reset();
    this.slots.dropAll();
    void this.subscription?.close();
  }

  private takeHint(hint: Hint): void {
    if (this.over) return;
    if (hint === 'work') this.claimLoop.wake();
    else this.tickSoon();
  }

  private scheduleTick(): void {
    if (this.over) return;
    this.tickTimer?.cancel();
    this.tickTimer = this.options.clock.after(this.options.lease.heartbeatMs, () => this.tickSoon());
  }

  private tickSoon(): void {
    if (this.over) return;
    this.ticking ??= this.tick().finally(() => {
      this.ticking = undefined;
      this.scheduleTick();
    });
  }

  private async tick(): Promise<void> {
    const { store, lease, clock, log } = this.options;
    const sentAt = clock.monotonic();
    let report: TickReport | undefined;
    try {
      report = await store.tick(this.session, lease.ttlMs, { busy: this.slots.busy, draining: this.draining });
    } catch (error) {
      if (this.databaseAnswers) log.warn({ session: this.session, error: messageOf(error) }, 'heartbeat failed; trying on');
      this.databaseAnswers = false;
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
    const { clock, log } = this.options;
    for (const orderId of report.cancelRequests) this.slots.cancel(orderId);
    if (report.workDue) this.claimLoop.wake();
    if (this.suspended) {
      this.suspended = false;
      this.reconcileAt = 0;
      log.info({ session: this.session }, 'the lease is held again; going on');
    }
    try {
      if (clock.monotonic() >= this.reconcileAt) await this.reconcile();
      const suspects = this.watch.suspects(report, this.session, clock.monotonic());
      if (suspects.length > 0 && !this.over) await this.endExpired(suspects);
    } catch (error) {
      log.debug({ session: this.session, error: messageOf(error) }, 'a chore failed; the next tick tries again');
    }
  }

  private async endExpired(suspects: number[]): Promise<void> {
    const { store, stats, log } = this.options;
    for (const { session, handedOver } of await store.endSessions(suspects, 'expired')) {
      stats.takeovers += 1;
      stats.handedOver += handedOver;
      log.warn(
        { session: this.session, ended_session: session, orders: handedOver },
        'a node is gone: its lease ran out, its orders go on elsewhere',
      );
      if (handedOver > 0) {
        this.claimLoop.wake();
        await store.wakeNodes(handedOver);
      }
    }
  }

  /** Works the orders that are ours according to the database and that no slot knows of. */
  private async reconcile(): Promise<void> {
    const { store, clock, log } = this.options;
    this.reconcileAt = clock.monotonic() + RECONCILE_EVERY_MS;
    const owned = await store.readOwnedOrders(this.session);
    if (!this.mayWork()) return;
    for (const order of owned) {
      if (this.slots.has(order.orderId)) continue;
      log.info({ session: this.session, order: order.orderId }, 'taking up an order that was ours already');
      this.slots.start(order);
    }
    if (this.draining) this.slots.drainAll();
  }

  private renewLease(sentAt: number): void {
    const { clock } = this.options;
    this.lease.renewedBy(sentAt);
    this.deadlineTimer?.cancel();
    this.deadlineTimer = clock.after(Math.max(0, this.lease.deadline - clock.monotonic()), () => this.suspend());
  }

  /** The lease could not be kept: stops every handler before anyone may take over. A later heartbeat may find the session alive. */
  private suspend(): void {
    if (this.over || this.suspended) return;
    this.suspended = true;
    this.options.log.error(
      { session: this.session, orders: this.slots.busy },
      'the lease could not be kept: stopping all handlers until the database answers',
    );
    this.writer.reset();
    this.slots.dropAll();
  }

  private die(): void {
    this.options.log.error({ session: this.session, orders: this.slots.busy }, 'this session was declared dead: dropping what it held');
    this.close();
    this.end.resolve('dead');
  }

  private noteLostAnswer(error: unknown): void {
    this.reconcileAt = 0;
    this.options.log.debug({ session: this.session, error: messageOf(error) }, 'an answer of the database was lost');
  }

  private noteEnd(orderId: string, end: RunEnd): void {
    this.options.stats.countEnd(end);
    if (end === 'fenced') {
      this.reconcileAt = 0;
      this.options.log.warn({ session: this.session, order: orderId }, 'a write was refused: the order is not ours any more');
    } else if (end === 'needs_attention') {
      this.options.log.error({ session: this.session, order: orderId }, 'an undo cannot succeed: the order needs a person');
    }
  }

  private noteBroken(orderId: string, error: unknown): void {
    this.options.stats.processExceptions += 1;
    this.reconcileAt = this.options.clock.monotonic() + RECONCILE_EVERY_MS;
    this.options.log.error(
      { session: this.session, order: orderId, error: messageOf(error) },
      'an order left its slot without an end; it is taken up again',
    );
  }
}
