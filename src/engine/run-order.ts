import { unreachable } from '#domain/assert.ts';
import { priceOfResults } from '#domain/execution-price.ts';
import type { Json } from '#domain/json.ts';
import { isSuspect } from '#domain/order.ts';
import { type Position, positionAfter } from '#domain/order-state.ts';
import type { Clock } from './clock.ts';
import { type HandlerInput, type IsolatedOrder, idempotencyKeyOf, prepareHandler } from './handler.ts';
import { LateChildLog, type Log } from './log.ts';
import { handBack, type Move, nextMove, type Outcome } from './plan.ts';
import { type Interruption, runStep } from './run-step.ts';
import type { ClaimedOrder, MoveVerdict, OrderMove } from './store.ts';
import type { Step, Workflow } from './workflow.ts';

/** `none`: none became free in good time. `disturbed`: something else may have to be done first. */
export type PlaceVerdict = 'taken' | 'none' | 'disturbed';

/** What a run needs of the node that hosts it. */
export interface RunHost {
  clock: Clock;
  log: Log;
  /** Writes a move; resolves with its verdict once it is durable. Rejects when the node cannot say what became of it. */
  advance: (move: OrderMove) => Promise<MoveVerdict>;
  /** Whether the node's lease still allows it to begin a handler. */
  mayWork: () => boolean;
  /** Takes a place to run one handler in. Who goes on (it had a place before) waits as long as it takes. */
  takePlace: (goesOn: boolean) => Promise<PlaceVerdict> | PlaceVerdict;
  leavePlace: () => void;
  /** The order's last move here was handed in: its handler is done, the slot can take the next order. */
  onLeaving: () => void;
  /** It does not leave after all: it is to be undone first. */
  onStaying: () => void;
  onAbandonedHandler: () => void;
  /** A place for a suspect; absent: suspects run in this process like all others. */
  isolate?: (() => IsolatedOrder) | undefined;
}

/** How an order left its slot. `dropped`: it was taken away, nothing more was written. */
export type RunEnd = 'completed' | 'failed' | 'cancelled' | 'needs_attention' | 'put_off' | 'handed_back' | 'fenced' | 'dropped';

/**
 * One order in one slot: runs the present step, writes what came of it, and goes on with the next, until the order ends,
 * is put off, handed back, or taken away. Wishes from outside (`cancel`, `drain`, `interrupt`, `drop`) act at once.
 */
export class OrderRun {
  readonly orderId: string;
  private readonly host: RunHost;
  private readonly workflow: Workflow;
  private readonly claimed: ClaimedOrder;
  private readonly results: Json[];
  private at: Position;
  private version: number;
  private retries: number;
  private attempt: number;
  private brokenStep: ClaimedOrder['brokenStep'];
  private cancelRequested: boolean;
  private isolated: IsolatedOrder | undefined;
  private draining = false;
  private dropped = false;
  private hasBegun = false;
  /** Of the handler that runs now, where it takes time. */
  private interruption: PromiseWithResolvers<Interruption> | undefined;
  private interrupted = false;

  constructor(claimed: ClaimedOrder, workflow: Workflow, host: RunHost) {
    this.orderId = claimed.orderId;
    this.claimed = claimed;
    this.workflow = workflow;
    this.host = host;
    this.at = { step: claimed.step, direction: claimed.direction };
    this.version = claimed.version;
    this.retries = claimed.retries;
    this.attempt = claimed.attempt;
    this.results = [...claimed.results];
    this.brokenStep = claimed.brokenStep;
    this.cancelRequested = claimed.cancelRequested;
  }

  /** Someone wants the order cancelled: the present step is aborted and all of it is undone. */
  cancel(): void {
    if (this.cancelRequested) return;
    this.cancelRequested = true;
    if (this.at.direction === 'forward') this.interruption?.resolve('cancelled');
  }

  /** The node leaves: the present step ends, then the order goes back to the queue. */
  drain(): void {
    this.draining = true;
  }

  /** The node leaves now: the present step is aborted, the order goes back to the queue. */
  interrupt(): void {
    this.draining = true;
    this.interrupted = true;
    this.interruption?.resolve('dropped');
  }

  /** The order is not this node's any more, or it cannot know: the handler is aborted and nothing more is written. */
  drop(): void {
    this.dropped = true;
    this.interruption?.resolve('dropped');
  }

  async run(): Promise<RunEnd> {
    try {
      return await this.work();
    } finally {
      this.isolated?.close();
    }
  }

  private async work(): Promise<RunEnd> {
    for (;;) {
      if (this.dropped || !this.host.mayWork()) return 'dropped';
      const taken = this.draining ? handBack(this.at, this.retries) : this.takeStep();
      const move = taken instanceof Promise ? await taken : taken;
      if (!move) continue;
      const end = await this.write(move);
      if (end) return end;
    }
  }

  /**
   * Runs the present step in a place to the move that follows from it; nothing when something else has to be done first. Where nobody
   * waits for a place and the handler answers at once there is no promise: empty steps are what the engine itself is measured by.
   */
  private takeStep(): Move | undefined | Promise<Move | undefined> {
    const place = this.host.takePlace(this.hasBegun);
    return typeof place === 'string' ? this.stepIn(place) : place.then((verdict) => this.stepIn(verdict));
  }

  private stepIn(place: PlaceVerdict): Move | undefined | Promise<Move | undefined> {
    if (place === 'none') return handBack(this.at, this.retries);
    if (place === 'disturbed') return undefined;
    const step = this.workflow.steps[this.at.step - 1] as Step;
    let outcome: ReturnType<OrderRun['outcomeOf']> = 'dropped';
    try {
      outcome = this.outcomeOf(step);
    } finally {
      if (!(outcome instanceof Promise)) this.host.leavePlace();
    }
    if (!(outcome instanceof Promise)) return this.plan(outcome, step);
    return outcome.finally(() => this.host.leavePlace()).then((settled) => this.plan(settled, step));
  }

  private outcomeOf(step: Step): Outcome | 'dropped' | Promise<Outcome | 'dropped'> {
    // Whoever waited for a place may not be wanted any more.
    if (this.draining || this.dropped || !this.host.mayWork()) return 'dropped';
    this.hasBegun = true;
    return this.cancelRequested && this.at.direction === 'forward' ? { kind: 'cancelled' } : this.callHandler(step);
  }

  private plan(outcome: Outcome | 'dropped', step: Step): Move | undefined {
    if (outcome === 'dropped') return undefined;
    const shape = { stepCount: this.workflow.steps.length, retry: step.retry };
    return nextMove(this.at, outcome, shape, this.retries, this.cancelRequested ? 'cancelled' : 'failed');
  }

  private callHandler(step: Step): Outcome | Promise<Outcome | 'dropped'> {
    const { claimed, host } = this;
    const input = this.inputOf(step);
    if (host.isolate && isSuspect(claimed)) {
      const { workflow, workflowVersion: version } = claimed;
      this.isolated ??= host.isolate();
      return this.isolated.run({ workflow, version, input, timeoutMs: step.timeoutMs, interrupted: this.whenInterrupted() });
    }
    const abort = new AbortController();
    const log = new LateChildLog(host.log, { order: this.orderId, step: step.name });
    return runStep({
      call: prepareHandler(step, input, abort.signal, log),
      abort,
      timeoutMs: step.timeoutMs,
      clock: host.clock,
      interrupted: () => this.whenInterrupted(),
      onAbandoned: () => host.onAbandonedHandler(),
    });
  }

  private whenInterrupted(): Promise<Interruption> {
    const interruption = Promise.withResolvers<Interruption>();
    this.interruption = interruption;
    // What was wished while the handler's first turn ran.
    if (this.dropped || this.interrupted) interruption.resolve('dropped');
    else if (this.cancelRequested && this.at.direction === 'forward') interruption.resolve('cancelled');
    return interruption.promise;
  }

  /** Writes a move and follows it; answers how the order left when it did. */
  private async write(move: Move): Promise<RunEnd | undefined> {
    const pending = this.host.advance({
      orderId: this.orderId,
      fence: this.claimed.fence,
      version: this.version + 1,
      kind: move.kind,
      step: this.at.step,
      direction: this.at.direction,
      data: move.data,
      closing: move.closing,
      executionPrice: move.kind === 'completed' ? priceOfResults([...this.results, resultOf(move)]) : undefined,
    });
    if (move.closing) this.host.onLeaving();
    const verdict = await pending;
    switch (verdict) {
      case 'fenced':
        return 'fenced';
      case 'cancel_requested':
        this.cancelRequested = true;
        this.host.onStaying();
        return undefined;
      case 'applied':
      case 'replayed':
        this.follow(move);
        return move.closing ? endOf(move) : undefined;
      default:
        return unreachable(verdict);
    }
  }

  private follow(move: Move): void {
    this.version += 1;
    if (move.kind === 'step_completed') this.results.push(resultOf(move));
    if (move.kind === 'step_failed') this.brokenStep = { step: this.at.step, outcome: isUnknown(move) ? 'unknown' : 'failed' };
    if (move.kind === 'cancel_started') this.brokenStep = { step: this.at.step, outcome: 'unknown' };
    this.at = positionAfter(move.kind, this.at);
    this.retries = 0;
    this.attempt = 1;
  }

  private inputOf(step: Step): HandlerInput {
    const { claimed, at } = this;
    const { steps } = this.workflow;
    const results = Object.fromEntries(this.results.map((result, index) => [steps[index]?.name, result]));
    return {
      orderId: this.orderId,
      order: claimed.content,
      step: at.step,
      stepName: step.name,
      direction: at.direction,
      results,
      attempt: this.attempt,
      idempotencyKey: idempotencyKeyOf(this.orderId, at),
      fence: claimed.fence,
      undo: at.direction === 'rollback' ? this.undoOf() : undefined,
    };
  }

  private undoOf(): NonNullable<HandlerInput['undo']> {
    const broken = this.brokenStep?.step === this.at.step ? this.brokenStep.outcome : undefined;
    return { outcome: broken ?? 'completed', result: broken ? null : (this.results[this.at.step - 1] ?? null) };
  }
}

function resultOf(move: Move): Json {
  return (move.data as { result?: Json } | null)?.result ?? null;
}

function isUnknown(move: Move): boolean {
  return (move.data as { unknown?: boolean } | null)?.unknown === true;
}

function endOf(move: Move): RunEnd {
  const state = move.closing?.state;
  if (state === 'queued') return move.kind === 'retry_scheduled' ? 'put_off' : 'handed_back';
  return state as RunEnd;
}
