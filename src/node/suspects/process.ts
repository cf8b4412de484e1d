import type { ChildProcess } from 'node:child_process';
import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import type { IsolatedCall } from '#engine/handler.ts';
import type { Outcome } from '#engine/plan.ts';
import { ABORT_GRACE_MS } from '#engine/run-step.ts';
import { type FromChildMessage, readFromChild, type ToChildMessage } from './messages.ts';

/** What a process gets beyond the step's own limits before it counts as blocked. */
const SLACK_MS = 1_000;
const START_TIMEOUT_MS = 30_000;

type Answer = Extract<FromChildMessage, { kind: 'outcome' }>;

interface Death {
  /** Such as `signal SIGABRT`. */
  how: string;
}

/** A process for suspects, one at a time, seen from the node. */
export class SuspectProcess {
  private readonly child: ChildProcess;
  private readonly clock: Clock;
  private readonly ready = Promise.withResolvers<'ready'>();
  private readonly death = Promise.withResolvers<Death>();
  private answer = Promise.withResolvers<Answer>();
  private alive = true;
  private spoilt = false;
  /** The first order it served, and whether there was another. */
  private servedFirst: string | undefined;
  private servedOthers = false;

  /** @param onEnd when it has ended */
  constructor(child: ChildProcess, clock: Clock, onEnd: () => void) {
    this.child = child;
    this.clock = clock;
    const end = (how: string): void => {
      if (!this.alive) return;
      this.alive = false;
      this.death.resolve({ how });
      onEnd();
    };
    child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit code ${code}`));
    child.on('error', (error) => {
      // Without an id it never began; otherwise a message or a signal did not reach it, and its exit is what counts.
      if (child.pid === undefined) end(messageOf(error));
    });
    child.on('message', (received) => {
      const message = readFromChild(received);
      if (message?.kind === 'ready') this.ready.resolve('ready');
      if (message?.kind === 'outcome') this.answer.resolve(message);
    });
  }

  /** It was killed, or holds a handler that did not end: nothing more is run in it, and its end says nothing. */
  get isSpoilt(): boolean {
    return this.spoilt;
  }

  /** Resolves when it can run handlers, or never will. */
  get started(): Promise<unknown> {
    return Promise.race([this.ready.promise, this.death.promise]);
  }

  /** Its end may be the deed of an order that was here before. */
  get hasServedOthers(): boolean {
    return this.servedOthers;
  }

  /** Whether it may serve the next order. */
  get isFit(): boolean {
    return this.alive && !this.spoilt;
  }

  kill(): void {
    this.spoilt = true;
    if (this.alive) this.child.kill('SIGKILL');
  }

  /** The order goes: at once, unless a handler is still being aborted. */
  leave(): void {
    if (!this.spoilt) this.kill();
  }

  /** Runs one handler. A process that dies meanwhile, died since the last one, or blocks beyond the step's time, makes it `crashed`. */
  async run(call: IsolatedCall, ids: Record<string, string | number>): Promise<Outcome | 'dropped'> {
    const started = await this.within(START_TIMEOUT_MS, this.ready.promise, this.death.promise, call.interrupted);
    if (started === 'cancelled') return { kind: 'cancelled' };
    if (started === 'dropped') return 'dropped';
    if (started !== 'ready') throw this.startFault(started);
    if (!this.alive && this.servedFirst !== call.input.orderId) this.servedOthers = true;
    if (!this.alive) return this.condemn(call, `it ended with ${(await this.death.promise).how} after the step before`);
    const { workflow, version, input, timeoutMs } = call;
    this.answer = Promise.withResolvers();
    this.servedFirst ??= input.orderId;
    this.servedOthers ||= this.servedFirst !== input.orderId;
    this.send({ kind: 'run', workflow, version, timeoutMs, ids, input: { ...input } } as ToChildMessage);
    // The process keeps the step's own limits by itself; one that does not answer in time is blocked.
    const limitMs = timeoutMs + ABORT_GRACE_MS + SLACK_MS;
    const first = await this.within(limitMs, this.answer.promise, this.death.promise, call.interrupted);
    if (first === 'late') return this.condemn(call, `it did not answer within ${timeoutMs} ms and had to be killed`);
    if (first === 'cancelled') return this.cancel();
    if (first === 'dropped') return this.drop();
    if (first === 'timeout') throw new Error('assertion failed: a step’s time is kept where it runs');
    return 'how' in first ? this.condemn(call, `it ended with ${first.how}`) : this.take(first);
  }

  /** Cancelled from outside: what becomes of the process then says nothing about the order. */
  private async cancel(): Promise<Outcome | 'dropped'> {
    this.send({ kind: 'interrupt', why: 'cancelled' });
    const late = await this.within(ABORT_GRACE_MS + SLACK_MS, this.answer.promise, this.death.promise);
    if (late !== 'late' && 'kind' in late) return this.take(late);
    this.kill();
    return { kind: 'cancelled' };
  }

  /** The order is not this node's any more: nobody waits for the handler, and after its grace it is gone. */
  private drop(): 'dropped' {
    this.spoilt = true;
    this.send({ kind: 'interrupt', why: 'dropped' });
    void this.within(ABORT_GRACE_MS, this.answer.promise, this.death.promise).then(() => this.kill());
    return 'dropped';
  }

  private take({ outcome, settled }: Answer): Outcome | 'dropped' {
    if (!settled) this.kill();
    return outcome as Outcome | 'dropped';
  }

  private condemn({ input }: IsolatedCall, what: string): Outcome {
    this.kill();
    const handler = input.direction === 'forward' ? `step ${input.stepName}` : `the undo of ${input.stepName}`;
    const advice =
      input.direction === 'forward'
        ? 'Correct the cause, then release the order to go on, or cancel it to undo it'
        : 'Correct the cause, then release the order to go on with its undo';
    const message = `after two nodes died with this order, ${handler} ran alone in a process: ${what}. ${advice}`;
    return { kind: 'crashed', error: { code: 'quarantined', message } };
  }

  private startFault(death: Death | 'late' | 'timeout'): Error {
    this.kill();
    return new Error(typeof death === 'string' ? `it was not ready within ${START_TIMEOUT_MS} ms` : `it ended with ${death.how}`);
  }

  private send(message: ToChildMessage): void {
    // A channel that is closed belongs to a process that is ending: its exit is what counts.
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  /** The first of these, or `late`; no timer is left behind. */
  private async within<Values extends unknown[]>(
    ms: number,
    ...values: { [Index in keyof Values]: Promise<Values[Index]> }
  ): Promise<Values[number] | 'late'> {
    const late = Promise.withResolvers<'late'>();
    const timer = this.clock.after(ms, () => late.resolve('late'));
    try {
      return await Promise.race([...values, late.promise]);
    } finally {
      timer.cancel();
    }
  }
}
