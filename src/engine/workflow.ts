import type { Json } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import { formatDuration, parseDuration } from '#domain/time.ts';
import type { Log } from './log.ts';

/** How a step that met an infrastructure error is tried again. */
export interface RetryPolicy {
  /** How many more times; 0 rolls back at the first error. */
  retries: number;
  /** Milliseconds between two tries. */
  delayMs: number;
}

/** What every handler is given. */
export interface StepContext {
  orderId: string;
  /** The customer's order as accepted; do not change it. */
  order: Readonly<OrderContent>;
  stepName: string;
  /** Results of the steps that completed before, by step name. */
  results: Readonly<Record<string, Json>>;
  /** From 1; grows when the step is tried again, by a retry or by another node after a crash. */
  attempt: number;
  /** The same for every attempt of this step in this direction: hand it to whatever the handler changes outside. */
  idempotencyKey: string;
  /** Grows whenever the order changes hands: whoever keeps the highest one seen can refuse a late writer. */
  fence: number;
  /** Aborted when the step times out, the order is cancelled, or the node may not work it any longer. */
  signal: AbortSignal;
  /** Carries order, step, node and session. */
  log: Log;
}

/** What a compensation is told besides. */
export interface CompensationContext extends StepContext {
  /**
   * How the step ended that is to be undone. `failed` and `unknown` may have had their effect or not: the compensation
   * must also keep a late effect of the same idempotency key from happening.
   */
  outcome: 'completed' | 'failed' | 'unknown';
  /** The step's result where it completed, else null. */
  result: Json;
}

export interface Step {
  name: string;
  run: (context: StepContext) => Promise<unknown> | unknown;
  /** Undoes what `run` did or may have done. Must be safe to call twice. */
  compensate: ((context: CompensationContext) => Promise<unknown> | unknown) | undefined;
  retry: RetryPolicy;
  timeoutMs: number;
}

export interface StepOptions {
  run: Step['run'];
  compensate?: NonNullable<Step['compensate']>;
  /** Default: 3 retries, a minute apart. */
  retry?: { retries: number; delay: string | number };
  /** Default: a minute. */
  timeout?: string | number;
}

export interface Workflow {
  name: string;
  /** A whole number from 1. A change to the list of steps is a new version; an order ends on the one it began with. */
  version: number;
  steps: readonly Step[];
}

/** Thrown by a handler to say: this order cannot succeed. It is not tried again; the order rolls back. */
export class StepFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StepFailure';
  }
}

const DEFAULT_RETRY: RetryPolicy = { retries: 3, delayMs: 60_000 };
const DEFAULT_TIMEOUT_MS = 60_000;
const MAX_STEPS = 1_000;

/** One step of a workflow. Durations are milliseconds or texts such as `30s`. */
export function step(name: string, options: StepOptions): Step {
  const retry = options.retry
    ? { retries: options.retry.retries, delayMs: toMs(options.retry.delay, `retry.delay of step ${name}`) }
    : DEFAULT_RETRY;
  if (!Number.isInteger(retry.retries) || retry.retries < 0) {
    throw new Error(`step ${name}: retry.retries is ${retry.retries}; a whole number from 0 is expected`);
  }
  const timeoutMs = options.timeout === undefined ? DEFAULT_TIMEOUT_MS : toMs(options.timeout, `timeout of step ${name}`);
  return { name, run: options.run, compensate: options.compensate, retry, timeoutMs };
}

/**
 * A workflow: a name, a version and its steps in order.
 *
 * @example
 * const workflow = defineWorkflow({
 *   name: 'gift-wrapping',
 *   version: 1,
 *   steps: [step('Wrap', { run: async ({ order }) => ({ paper: order.metadata?.paper ?? 'plain' }) })],
 * });
 */
export function defineWorkflow(definition: { name: string; version: number; steps: readonly Step[] }): Workflow {
  const { name, version, steps } = definition;
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(name))
    throw new Error(`workflow name ${JSON.stringify(name)}: 1 to 64 of A-Z a-z 0-9 . _ - are expected`);
  if (!Number.isInteger(version) || version < 1 || version > 32_767)
    throw new Error(`workflow ${name}: version is ${version}; a whole number from 1 to 32767 is expected`);
  if (steps.length < 1 || steps.length > MAX_STEPS)
    throw new Error(`workflow ${name}: ${steps.length} steps; 1 to ${MAX_STEPS} are expected`);
  const names = new Set<string>();
  for (const { name: stepName } of steps) {
    if (!stepName || stepName.length > 64)
      throw new Error(`workflow ${name}: a step is called ${JSON.stringify(stepName)}; 1 to 64 characters are expected`);
    if (TERMINAL_STEP_NAMES.has(stepName)) throw new Error(`workflow ${name}: the step name ${stepName} is reserved for the terminal step`);
    if (names.has(stepName)) throw new Error(`workflow ${name}: two steps are called ${stepName}`);
    names.add(stepName);
  }
  return { name, version, steps };
}

/** The last entry of an ended order's steps. */
export const TERMINAL_STEP_NAMES: ReadonlySet<string> = new Set(['Completed', 'Failed', 'Cancelled']);

/** Timers beyond this fire at once (a 32-bit limit of Node), so no duration may be longer. */
const MAX_DURATION_MS = 2_147_483_647;

function toMs(value: string | number, what: string): number {
  const ms = typeof value === 'number' ? value : parseDuration(value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > MAX_DURATION_MS) {
    throw new Error(`${what} is ${JSON.stringify(value)}; a duration such as 30s is expected, at most ${formatDuration(MAX_DURATION_MS)}`);
  }
  return ms;
}
