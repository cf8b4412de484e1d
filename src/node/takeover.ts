import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { EndReason, Store, TickReport } from '#engine/store.ts';
import { LostWatch } from './lost-watch.ts';
import type { NodeStats } from './stats.ts';
import { SessionWatch } from './watch.ts';
import { delayToPhase, planWatch, type WatchPlan } from './watch-plan.ts';

export interface TakeoverOptions {
  store: Store;
  session: number;
  ttlMs: number;
  /** Of the ticks of all. */
  periodMs: number;
  clock: Clock;
  log: Log;
  stats: NodeStats;
  /** Orders of others wait now. */
  onWork: () => void;
}

/**
 * What this session does about the others: it notices lost liveness locks at once, whoever leads, and expired leases by
 * watching, which is the leader's to act on.
 */
export class Takeover {
  private readonly options: TakeoverOptions;
  private readonly watch: SessionWatch;
  private readonly lostWatch: LostWatch;
  private plan: WatchPlan = { phase: 0, lookWithTick: false, lookBetween: undefined };
  private tickDelayMs: number;
  /** What this node sees until then says nothing about others: its own connections broke a moment ago. */
  private troubledUntil = Number.NEGATIVE_INFINITY;

  constructor(options: TakeoverOptions) {
    const { store, ttlMs, clock, log } = options;
    this.options = options;
    this.tickDelayMs = options.periodMs;
    this.watch = new SessionWatch(ttlMs);
    this.lostWatch = new LostWatch({
      clock,
      log,
      look: async () => this.othersAmong(await store.findLostSessions(ttlMs)),
      end: (sessions) => this.endOthers(sessions, 'connection_lost'),
    });
  }

  /** Whether the next tick should look for lost locks too. */
  get wantsLook(): boolean {
    return this.plan.lookWithTick;
  }

  /** How long to the next tick of a session that does not lead. */
  get nextTickMs(): number {
    return this.tickDelayMs;
  }

  /** Our own connections broke: until a lease has passed, everybody else may only be in the same trouble. */
  noteTrouble(): void {
    const { clock, ttlMs } = this.options;
    this.troubledUntil = clock.monotonic() + ttlMs;
  }

  /** Learns from a tick; never waits. */
  follow(report: TickReport): void {
    const { session, periodMs } = this.options;
    this.plan = planWatch(
      session,
      report.sessions.map((other) => other.session),
      report.leader,
    );
    this.tickDelayMs = delayToPhase(report.databaseNow, this.plan.phase, periodMs);
    if (this.plan.lookBetween !== undefined) this.lostWatch.planLook(this.plan.lookBetween * periodMs);
    this.lostWatch.suspect(this.othersAmong(report.lostSessions ?? []));
  }

  /** Looks at every lease, and ends those that have run out where this session leads. */
  async checkLeases(report: TickReport, leads: boolean): Promise<void> {
    const { session, clock } = this.options;
    const suspects = this.watch.suspects(report, session, clock.monotonic());
    if (leads && suspects.length > 0) await this.endOthers(suspects, 'expired');
  }

  close(): void {
    this.lostWatch.close();
  }

  private othersAmong(sessions: readonly number[]): number[] {
    if (this.options.clock.monotonic() < this.troubledUntil) return [];
    return sessions.filter((session) => session !== this.options.session);
  }

  private async endOthers(sessions: number[], reason: EndReason): Promise<void> {
    const { store, stats, log, onWork } = this.options;
    for (const { session, handedOver } of await store.endSessions(sessions, reason)) {
      stats.takeovers += 1;
      stats.handedOver += handedOver;
      const how = reason === 'expired' ? 'its lease ran out' : 'its connection ended';
      log.warn({ ended_session: session, orders: handedOver }, `a node is gone: ${how}, its orders go on elsewhere`);
      if (handedOver === 0) continue;
      onWork();
      await store.wakeNodes(handedOver);
    }
  }
}
