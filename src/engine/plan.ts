import { unreachable } from '#domain/assert.ts';
import type { Json } from '#domain/json.ts';
import type { EventKind, OrderState, Position } from '#domain/order-state.ts';
import type { RetryPolicy } from './workflow.ts';

/**
 * The heart of the engine: what to write after a step's handler ended. Pure; it knows no clock, no store and no
 * handler. Three outcomes of a handler are told apart because they lead to different histories: done, failed (a
 * business answer: final), errored (nobody knows: try again, then give up).
 */
export type Outcome =
  | { kind: 'done'; result: Json }
  | { kind: 'failed'; error: StepError }
  | { kind: 'errored'; error: StepError }
  /** The step was aborted because the customer cancelled the order. */
  | { kind: 'cancelled' }
  /** The handler took the process with it that ran nothing else: the order itself is what kills. */
  | { kind: 'crashed'; error: StepError };

/** What is kept of an error: enough for a person, and nothing that `jsonb` refuses. */
export interface StepError {
  code: string;
  message: string;
}

/** What the plan needs to know of the workflow at the present step. */
export interface PlanStep {
  stepCount: number;
  retry: RetryPolicy;
}

/** How the order's row ends its ownership together with the event. */
export interface Closing {
  state: OrderState;
  at: Position;
  retries: number;
  /** From now until the order may be claimed again. */
  delayMs: number;
}

/** The next event of the order, what it tells, and what follows from it. */
export interface Move {
  kind: EventKind;
  data: Json;
  /** Present when the order leaves its slot. */
  closing: Closing | undefined;
}

/** What ends a rollback: that someone cancelled the order, or that a step failed. */
export type RollbackCause = 'failed' | 'cancelled';

export function nextMove(at: Position, outcome: Outcome, plan: PlanStep, retries: number, cause: RollbackCause): Move {
  return at.direction === 'forward' ? moveForward(at, outcome, plan, retries) : moveBack(at, outcome, plan, retries, cause);
}

function moveForward(at: Position, outcome: Outcome, plan: PlanStep, retries: number): Move {
  switch (outcome.kind) {
    case 'done':
      return at.step < plan.stepCount
        ? append('step_completed', resultData(outcome.result))
        : end('completed', at, resultData(outcome.result));
    case 'failed':
      return append('step_failed', { error: { ...outcome.error } });
    case 'errored':
      if (retries < plan.retry.retries) return putOff(at, outcome.error, plan.retry, retries);
      return append('step_failed', { error: { ...outcome.error }, unknown: true });
    case 'cancelled':
      return append('cancel_started', null);
    case 'crashed':
      return stopForPerson(at, outcome.error, retries);
    default:
      return unreachable(outcome);
  }
}

function moveBack(at: Position, outcome: Outcome, plan: PlanStep, retries: number, cause: RollbackCause): Move {
  switch (outcome.kind) {
    case 'done':
      return at.step > 1 ? append('step_undone', null) : end(cause, at, null);
    case 'failed':
    case 'errored':
      if (retries < plan.retry.retries) return putOff(at, outcome.error, plan.retry, retries);
      return stopForPerson(at, outcome.error, retries);
    case 'crashed':
      return stopForPerson(at, outcome.error, retries);
    case 'cancelled':
      throw new Error('assertion failed: a rollback cannot be cancelled');
    default:
      return unreachable(outcome);
  }
}

/** Gives the order back to the queue as it stands: the node leaves, or it may not work any longer. */
export function handBack(at: Position, retries: number): Move {
  return { kind: 'handed_back', data: null, closing: { state: 'queued', at, retries, delayMs: 0 } };
}

/** An undo that cannot succeed, or an order that kills whatever works it. */
function stopForPerson(at: Position, error: StepError, retries: number): Move {
  return { kind: 'attention_needed', data: { error: { ...error } }, closing: { state: 'needs_attention', at, retries, delayMs: 0 } };
}

function append(kind: EventKind, data: Json): Move {
  return { kind, data, closing: undefined };
}

function end(kind: 'completed' | 'failed' | 'cancelled', at: Position, data: Json): Move {
  return { kind, data, closing: { state: kind, at, retries: 0, delayMs: 0 } };
}

function putOff(at: Position, error: StepError, retry: RetryPolicy, retries: number): Move {
  return {
    kind: 'retry_scheduled',
    data: { error: { ...error }, retry: retries + 1, retries: retry.retries, delay_ms: retry.delayMs },
    closing: { state: 'queued', at, retries: retries + 1, delayMs: retry.delayMs },
  };
}

function resultData(result: Json): Json {
  return result === null ? null : { result };
}
