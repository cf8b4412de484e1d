import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
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
export const MAX_PROCESSES = 8;

/**
 * Processes for suspects. Each serves one order from its first step here until it leaves its slot, and no other: what an
 * order leaves behind (a timer, a promise that nobody awaits, a handler that ignores its signal) may kill a process long
 * after its step, and that must never be taken for the deed of another. Suspects that find no place wait, and only they.
 */
export class SuspectPool implements Isolation {
  private readonly options: SuspectPoolOptions;
  private readonly all = new Set<SuspectProcess>();
  private readonly waiting: ((turn: 'turn') => void)[] = [];
  private closed = false;

  constructor(options: SuspectPoolOptions) {
    this.options = options;
  }

  open(ids: Record<string, string | number>): IsolatedOrder {
    const { clock, log } = this.options;
    return new SuspectOrder({ ...this.options.ids, ...ids }, clock, log, (interrupted) => this.take(interrupted));
  }

  close(): void {
    this.closed = true;
    for (const child of this.all) child.kill();
  }

  /** A process that just starts, as soon as there may be one more. Rejects when the system refuses it. */
  private async take(interrupted: Promise<Interruption>): Promise<SuspectProcess | Interruption> {
    while (this.all.size >= MAX_PROCESSES) {
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

  private start(): SuspectProcess {
    const child = new SuspectProcess(this.options.fork(), this.options.clock, () => {
      this.all.delete(child);
      this.waiting.shift()?.('turn');
    });
    this.all.add(child);
    return child;
  }
}

/** One suspect's place: its process, started with its first call, and anew after one that had to be killed. */
class SuspectOrder implements IsolatedOrder {
  private readonly ids: Record<string, string | number>;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly take: (interrupted: Promise<Interruption>) => Promise<SuspectProcess | Interruption>;
  private child: SuspectProcess | undefined;

  constructor(ids: SuspectOrder['ids'], clock: Clock, log: Log, take: SuspectOrder['take']) {
    this.ids = ids;
    this.clock = clock;
    this.log = log;
    this.take = take;
  }

  async run(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    const startedAt = this.clock.monotonic();
    const outcome = await this.runSomewhere(call);
    const { orderId: order, stepName: step } = call.input;
    if (outcome !== 'dropped' && outcome.kind === 'crashed')
      this.log.error(
        { ...this.ids, order, step, ms: Math.round(this.clock.monotonic() - startedAt) },
        `a suspect killed its process: ${outcome.error.message}`,
      );
    return outcome;
  }

  close(): void {
    this.child?.leave();
  }

  private async runSomewhere(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    try {
      if (!this.child || this.child.isSpoilt) {
        const taken = await this.take(call.interrupted);
        if (typeof taken === 'string') return taken === 'cancelled' ? { kind: 'cancelled' } : 'dropped';
        this.child = taken;
      }
      return await this.child.run(call, this.ids);
    } catch (error) {
      this.log.warn({ ...this.ids, error: messageOf(error) }, 'a process for suspects could not be started');
      return {
        kind: 'errored',
        error: { code: 'isolation_failed', message: `no process could be started for a suspect: ${messageOf(error)}` },
      };
    }
  }
}
