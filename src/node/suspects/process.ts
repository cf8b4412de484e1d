import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { IsolatedCall } from '#engine/handler.ts';
import type { Outcome } from '#engine/plan.ts';
import { ABORT_GRACE_MS, type Interruption } from '#engine/run-step.ts';
import { readFromChild, type ToChildMessage } from './messages.ts';

/** What a process gets beyond the step's own limits before it counts as blocked. */
const SLACK_MS = 1_000;
const START_TIMEOUT_MS = 30_000;

interface Death {
  /** Such as `signal SIGABRT`. */
  how: string;
}

/** One process that runs handlers of suspects, seen from the node. */
export class SuspectProcess {
  private readonly child: ChildProcess;
  private readonly clock: Clock;
  private readonly ready = Promise.withResolvers<'ready' | Death>();
  private readonly death = Promise.withResolvers<Death>();
  private answer = Promise.withResolvers<Outcome | 'dropped'>();
  private alive = true;

  /** @param onEnd when it has ended, with the error where it could not even start */
  constructor(child: ChildProcess, clock: Clock, onEnd: (error?: Error) => void) {
    this.child = child;
    this.clock = clock;
    const end = (how: string, error?: Error): void => {
      if (!this.alive) return;
      this.alive = false;
      this.death.resolve({ how });
      this.ready.resolve({ how });
      onEnd(error);
    };
    child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    child.once('error', (error) => end(messageOf(error), error));
    child.on('message', (received) => {
      const message = readFromChild(received);
      if (message?.kind === 'ready') this.ready.resolve('ready');
      if (message?.kind === 'outcome') this.answer.resolve(message.outcome as Outcome | 'dropped');
    });
  }

  get isAlive(): boolean {
    return this.alive;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }

  /** Runs one handler. A process that dies meanwhile, or blocks beyond the step's time, makes the outcome `crashed`. */
  async run(call: IsolatedCall): Promise<Outcome | 'dropped'> {
    const started = await Promise.race([this.ready.promise, call.interrupted, this.after(START_TIMEOUT_MS)]);
    if (started === 'cancelled') return { kind: 'cancelled' };
    if (started === 'dropped') return 'dropped';
    if (started !== 'ready') return this.failToStart(started);
    this.answer = Promise.withResolvers();
    const { workflow, version, input, timeoutMs } = call;
    this.send({ kind: 'run', workflow, version, timeoutMs, input: { ...input } } as ToChildMessage);
    // The process keeps the step's own limits by itself; one that does not answer in time is blocked.
    const blocked = this.after(timeoutMs + ABORT_GRACE_MS + SLACK_MS);
    const first = await Promise.race([this.answer.promise, this.death.promise, call.interrupted, blocked]);
    if (first === 'late') return this.condemn(call, `it did not answer within ${timeoutMs} ms and had to be killed`);
    if (first === 'cancelled' || first === 'dropped') return this.interrupt(first);
    if (first === 'timeout') throw new Error('assertion failed: a step’s time is kept where it runs');
    return 'how' in first ? this.condemn(call, `it ended with ${first.how}`) : first;
  }

  /** Taken away from outside: what becomes of the process then says nothing about the order. */
  private async interrupt(why: Exclude<Interruption, 'timeout'>): Promise<Outcome | 'dropped'> {
    this.send({ kind: 'interrupt', why });
    const late = await Promise.race([this.answer.promise, this.death.promise, this.after(ABORT_GRACE_MS + SLACK_MS)]);
    if (late === 'late') this.kill();
    const answered = typeof late !== 'string' && 'kind' in late ? late : undefined;
    if (why === 'dropped') return 'dropped';
    return answered ?? { kind: 'cancelled' };
  }

  private condemn({ input }: IsolatedCall, what: string): Outcome {
    this.kill();
    const handler = input.direction === 'forward' ? `step ${input.stepName}` : `the undo of ${input.stepName}`;
    const message = `after two nodes died with this order, ${handler} ran alone in a process: ${what}. Correct its cause, then release the order`;
    return { kind: 'crashed', error: { code: 'quarantined', message } };
  }

  private failToStart(death: Death | 'late' | 'timeout'): Outcome {
    this.kill();
    const how = typeof death === 'string' ? `it was not ready within ${START_TIMEOUT_MS} ms` : `it ended with ${death.how}`;
    return { kind: 'errored', error: { code: 'isolation_failed', message: `no process could be started for a suspect: ${how}` } };
  }

  private send(message: ToChildMessage): void {
    // A channel that is closed belongs to a process that is ending: its exit is what counts.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private after(ms: number): Promise<'late'> {
    return sleep(this.clock, ms).then(() => 'late');
  }
}
