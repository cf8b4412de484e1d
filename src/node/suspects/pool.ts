import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#domain/errors.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import type { IsolatedCall, IsolatedOrder, Isolation } from '#engine/handler.ts';
import type { Log } from '#engine/log.ts';
import type { Outcome } from '#engine/plan.ts';
import type { Interruption } from '#engine/run-step.ts';
import { SuspectProcess } from './process.ts';

export interface SuspectPoolOptions {
  /** Starts a process that serves suspects, with an IPC channel. */
  fork: () => ChildProcess;
  clock: Clock;
  log: Log;
  /** Of the node, for what handlers log. */
  ids: Record<string, string | number>;
}

/** A process takes some fifty megabytes. */
export const MAX_PROCESSES = 4;

const IDLE_MS = 5_000;

/** A process for a suspect: whichever is free, or one that has served nobody yet. */
type Wanted = 'any' | 'fresh';

/**
 * Processes for suspects. Each serves one order from its first step here until it leaves its slot, then the next: most
 * suspects are innocent, and a start costs half a second of a processor. But what an order leaves behind (a timer, a promise
 * that nobody awaits) may kill a process long after its step, and that must never be taken for the deed of another: when a
 * process dies that has served others, the step runs once more in a fresh one, and only what happens there counts.
 * Suspects that find no place wait, and only they.
 */
export class SuspectPool implements Isolation {
  private readonly options: SuspectPoolOptions;
  private readonly all = new Set<SuspectProcess>();
  private readonly idle = new Map<SuspectProcess, Timer>();
  private readonly waiting: ((turn: 'turn') => void)[] = [];
  private starting = false;
  private closed = false;

  constructor(options: SuspectPoolOptions) {
    this.options = options;
  }

  open(ids: Record<string, string | number>): IsolatedOrder {
    const { clock, log } = this.options;
    return new SuspectOrder({
      ...{ ids: { ...this.options.ids, ...ids }, clock, log },
      take: (wanted, interrupted) => this.take(wanted, interrupted),
      giveBack: (child) => this.keep(child),
    });
  }

  close(): void {
    this.closed = true;
    for (const child of this.all) child.kill();
  }

  /** One that is free, or one that just starts, as soon as there may be one more. Rejects when the system refuses it. */
  private async take(wanted: Wanted, interrupted: Promise<Interruption>): Promise<SuspectProcess | Interruption> {
    for (;;) {
      const [free] = this.idle.keys();
      if (free) this.forget(free);
      if (free && wanted === 'any') return free;
      // It makes room, with its end.
      free?.kill();
      // One start at a time: several at once would take the processor from the node's own heartbeat.
      if (this.all.size < MAX_PROCESSES && !this.starting) break;
      const mine = Promise.withResolvers<'turn'>();
      this.waiting.push(mine.resolve);
      const first = await Promise.race([mine.promise, interrupted]);
      if (first === 'turn') continue;
      const index = this.waiting.indexOf(mine.resolve);
      // Its turn came at the same moment: the next one gets it.
      if (index < 0) this.waiting.shift()?.('turn');
      else this.waiting.splice(index, 1);
      return first;
    }
    if (this.closed) throw new Error('the node is stopping');
    return this.start();
  }

  /** For the next order, for a while. */
  private keep(child: SuspectProcess): void {
    if (this.closed) {
      child.kill();
      return;
    }
    this.idle.set(
      child,
      this.options.clock.after(IDLE_MS, () => {
        this.forget(child);
        child.kill();
      }),
    );
    this.waiting.shift()?.('turn');
  }

  private forget(child: SuspectProcess): void {
    this.idle.get(child)?.cancel();
    this.idle.delete(child);
  }

  private start(): SuspectProcess {
    const child = new SuspectProcess(this.options.fork(), this.options.clock, () => {
      this.all.delete(child);
      this.forget(child);
      this.waiting.shift()?.('turn');
    });
    this.all.add(child);
    this.starting = true;
    void child.started.then(() => {
      this.starting = false;
      this.waiting.shift()?.('turn');
    });
    return child;
  }
}

interface PlaceOptions {
  ids: Record<string, string | number>;
  clock: Clock;
  log: Log;
  take: (wanted: Wanted, interrupted: Promise<Interruption>) => Promise<SuspectProcess | Interruption>;
  giveBack: (child: SuspectProcess) => void;
}

/** One suspect's place: its process, taken with its first call, and anew after one that had to be killed. */
class SuspectOrder implements IsolatedOrder {
  private readonly options: PlaceOptions;
  private child: SuspectProcess | undefined;

  constructor(options: PlaceOptions) {
    this.options = options;
  }

  async run(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    const { clock, log, ids } = this.options;
    const startedAt = clock.monotonic();
    const outcome = await this.runSomewhere(call);
    const { orderId: order, stepName: step } = call.input;
    if (outcome !== 'dropped' && outcome.kind === 'crashed')
      log.error(
        { ...ids, order, step, ms: Math.round(clock.monotonic() - startedAt) },
        `a suspect killed its process: ${outcome.error.message}`,
      );
    return outcome;
  }

  close(): void {
    const { child } = this;
    this.child = undefined;
    if (child?.isFit) this.options.giveBack(child);
    else child?.leave();
  }

  private async runSomewhere(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    const { log, ids } = this.options;
    try {
      const outcome = await this.runIn('any', call);
      const isDoubtful = outcome !== 'dropped' && outcome.kind === 'crashed' && this.child?.hasServedOthers === true;
      return isDoubtful ? await this.runIn('fresh', call) : outcome;
    } catch (error) {
      log.warn({ ...ids, error: messageOf(error) }, 'a process for suspects could not be started');
      return {
        kind: 'errored',
        error: { code: 'isolation_failed', message: `no process could be started for a suspect: ${messageOf(error)}` },
      };
    }
  }

  private async runIn(wanted: Wanted, call: IsolatedCall): Promise<Outcome | 'dropped'> {
    if (!this.child || this.child.isSpoilt) {
      const taken = await this.options.take(wanted, call.interrupted);
      if (typeof taken === 'string') return taken === 'cancelled' ? { kind: 'cancelled' } : 'dropped';
      this.child = taken;
    }
    return await this.child.run(call, this.options.ids);
  }
}
