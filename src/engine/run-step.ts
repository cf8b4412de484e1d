import { messageOf } from '#domain/errors.ts';
import { findJsonFault, type Json } from '#domain/json.ts';
import type { Clock } from './clock.ts';
import type { Outcome, StepError } from './plan.ts';
import { StepFailure } from './workflow.ts';

/** How long a handler may take to obey its abort signal before its slot goes on without it. */
export const ABORT_GRACE_MS = 1_000;
/** A result is read with every later step and kept for good: it is for facts, not for files. */
export const MAX_RESULT_BYTES = 64 * 1024;
const MAX_MESSAGE_LENGTH = 2_000;

/** What ended a handler from outside. */
export type Interruption = 'timeout' | 'cancelled' | 'dropped';

export interface StepCall {
  /** Calls the handler. */
  call: () => unknown;
  /** Aborts the handler's signal. */
  abort: AbortController;
  timeoutMs: number;
  clock: Clock;
  /** Asked for once if the handler does not answer at once; resolves when the slot must not wait for it any longer. */
  interrupted: () => Promise<Interruption>;
  /** Told when a handler ignored its signal and was left behind. */
  onAbandoned: () => void;
}

/**
 * Runs one handler to an outcome, whatever it does: returns nothing useful, throws no Error, never returns, or ignores its
 * signal. Resolves to `dropped` when the order was taken away meanwhile; never rejects. A handler that answers at once costs no
 * promise.
 */
export function runStep(step: StepCall): Outcome | Promise<Outcome | 'dropped'> {
  const handler = settle(step.call);
  return handler instanceof Promise ? raceWithLimits(handler, step) : handler;
}

function settle(call: () => unknown): Outcome | Promise<Outcome> {
  try {
    const returned = call();
    return isThenable(returned) ? Promise.resolve(returned).then(outcomeOf, outcomeOfThrown) : outcomeOf(returned);
  } catch (thrown) {
    return outcomeOfThrown(thrown);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}

async function raceWithLimits(handler: Promise<Outcome>, step: StepCall): Promise<Outcome | 'dropped'> {
  const timeout = Promise.withResolvers<Interruption>();
  const timer = step.clock.after(step.timeoutMs, () => timeout.resolve('timeout'));
  try {
    const first = await Promise.race([handler, timeout.promise, step.interrupted()]);
    if (typeof first !== 'string') return first;
    step.abort.abort(new DOMException(`the step was stopped: ${first}`, first === 'timeout' ? 'TimeoutError' : 'AbortError'));
    if (first === 'dropped') return first;
    const late = await waitForGrace(handler, step);
    if (late === 'ignored') step.onAbandoned();
    if (first === 'cancelled') return { kind: 'cancelled' };
    return late !== 'ignored' && late.kind !== 'errored' ? late : timedOut(step.timeoutMs);
  } finally {
    timer.cancel();
  }
}

function waitForGrace(handler: Promise<Outcome>, step: StepCall): Promise<Outcome | 'ignored'> {
  const grace = Promise.withResolvers<'ignored'>();
  const timer = step.clock.after(ABORT_GRACE_MS, () => grace.resolve('ignored'));
  return Promise.race([handler, grace.promise]).finally(() => timer.cancel());
}

function timedOut(timeoutMs: number): Outcome {
  return { kind: 'errored', error: { code: 'timeout', message: `the step did not end within ${timeoutMs} ms` } };
}

function outcomeOf(returned: unknown): Outcome {
  if (returned === undefined || returned === null) return { kind: 'done', result: null };
  const fault = findJsonFault(returned);
  if (fault)
    return {
      kind: 'failed',
      error: { code: 'result_not_json', message: `the step's result${fault.path && ` at ${fault.path}`} ${fault.reason}` },
    };
  const bytes = Buffer.byteLength(JSON.stringify(returned));
  if (bytes > MAX_RESULT_BYTES) {
    return {
      kind: 'failed',
      error: { code: 'result_too_large', message: `the step's result has ${bytes} bytes; at most ${MAX_RESULT_BYTES} are kept` },
    };
  }
  return { kind: 'done', result: returned as Json };
}

/** `StepFailure` is the handler's word that the order cannot succeed; anything else may pass and is tried again. */
function outcomeOfThrown(thrown: unknown): Outcome {
  if (thrown instanceof StepFailure) return { kind: 'failed', error: { code: 'step_failure', message: storableMessage(thrown) } };
  return { kind: 'errored', error: { code: codeOf(thrown), message: storableMessage(thrown) } };
}

function codeOf(thrown: unknown): StepError['code'] {
  if (!(thrown instanceof Error)) return 'not_an_error';
  const code = (thrown as { code?: unknown }).code;
  return typeof code === 'string' && /^[\w.-]{1,64}$/.test(code) ? code : thrown.name.replaceAll(/[^\w.-]/g, '').slice(0, 64) || 'error';
}

/** A message that PostgreSQL stores: no NUL, no half surrogates, not endless. */
function storableMessage(thrown: unknown): string {
  return messageOf(thrown).replaceAll('\u0000', '').slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
}
