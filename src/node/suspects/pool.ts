import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#domain/errors.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import type { IsolatedCall, Isolation } from '#engine/handler.ts';
import type { Log } from '#engine/log.ts';
import type { Outcome } from '#engine/plan.ts';
import { SuspectProcess } from './process.ts';

export interface SuspectPoolOptions {
  /** Starts a process that serves suspects, with an IPC channel. */
  fork: () => ChildProcess;
  clock: Clock;
  log: Log;
}

const MAX_PROCESSES = 4;
const IDLE_MS = 30_000;

/**
 * Processes for suspects, one order in each at a time: a death there takes no neighbour along. One that did its work well
 * serves the next suspect; those that find none free wait, and only they.
 */
export class SuspectPool implements Isolation {
  private readonly options: SuspectPoolOptions;
  private readonly idle: { child: SuspectProcess; timer: Timer }[] = [];
  private readonly all = new Set<SuspectProcess>();
  private readonly waiting: (() => void)[] = [];
  private closed = false;

  constructor(options: SuspectPoolOptions) {
    this.options = options;
  }

  async run(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    const taking = this.take();
    const taken = await Promise.race([taking, call.interrupted]);
    if (typeof taken === 'string') {
      // Nobody waits for it any more: the next suspect gets it.
      void taking.then((child) => this.giveBack(child));
      return taken === 'cancelled' ? { kind: 'cancelled' } : 'dropped';
    }
    const outcome = await taken.run(call);
    this.giveBack(taken);
    if (typeof outcome !== 'string' && outcome.kind === 'crashed')
      this.options.log.error(
        { order: call.input.orderId, step: call.input.stepName },
        `a suspect killed its process: ${outcome.error.message}`,
      );
    return outcome;
  }

  close(): void {
    this.closed = true;
    for (const child of this.all) child.kill();
  }

  private async take(): Promise<SuspectProcess> {
    for (;;) {
      const free = this.idle.pop();
      free?.timer.cancel();
      if (free?.child.isAlive) return free.child;
      if (!free && this.all.size < MAX_PROCESSES) return this.start();
      if (!free) await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  private start(): SuspectProcess {
    const child = new SuspectProcess(this.options.fork(), this.options.clock, (error) => {
      this.all.delete(child);
      this.waiting.shift()?.();
      if (error) this.options.log.warn({ error: messageOf(error) }, 'a process for suspects could not be started');
    });
    this.all.add(child);
    return child;
  }

  private giveBack(child: SuspectProcess): void {
    if (this.closed) child.kill();
    if (!child.isAlive) return;
    const timer = this.options.clock.after(IDLE_MS, () => {
      this.idle.splice(
        this.idle.findIndex((other) => other.child === child),
        1,
      );
      child.kill();
    });
    this.idle.push({ child, timer });
    this.waiting.shift()?.();
  }
}
