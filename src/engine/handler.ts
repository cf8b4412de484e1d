import type { Json } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import type { Direction, Position } from '#domain/order-state.ts';
import type { Log } from './log.ts';
import type { Outcome } from './plan.ts';
import type { Interruption } from './run-step.ts';
import type { CompensationContext, Step, StepContext } from './workflow.ts';

/** All that a handler's call is made of: plain data, so that it can be made in another process too. */
export interface HandlerInput {
  orderId: string;
  order: OrderContent;
  step: number;
  stepName: string;
  direction: Direction;
  results: Record<string, Json>;
  attempt: number;
  idempotencyKey: string;
  fence: number;
  /** What a compensation is told besides. */
  undo: { outcome: CompensationContext['outcome']; result: Json } | undefined;
}

/** A handler's call in a process of its own. */
export interface IsolatedCall {
  workflow: string;
  version: number;
  input: HandlerInput;
  timeoutMs: number;
  /** Resolves when the slot must not wait for the handler any longer. */
  interrupted: Promise<Interruption>;
}

/** Runs the handlers of suspects, orders that may be what kills the nodes that work them, elsewhere than in this process. */
export interface Isolation {
  /** A place for one order; `ids` go into what its handlers log. It holds nothing before its first call. */
  open(ids: Record<string, string | number>): IsolatedOrder;
}

/** The place of one order, which no other order ever shares: what dies there says something about this order alone. */
export interface IsolatedOrder {
  /** Answers as `runStep` does; `crashed` when the order took its process with it. Never rejects. */
  run(call: IsolatedCall): Promise<Outcome | 'dropped'>;
  /** The order has left its slot. */
  close(): void;
}

/** The call of the step's handler in its direction; nothing to do where a step has no compensation. */
export function prepareHandler(step: Step, input: HandlerInput, signal: AbortSignal, log: Log): () => unknown {
  const context: StepContext = {
    orderId: input.orderId,
    order: input.order,
    stepName: input.stepName,
    results: input.results,
    attempt: input.attempt,
    idempotencyKey: input.idempotencyKey,
    fence: input.fence,
    signal,
    log,
  };
  const { undo } = input;
  return undo ? () => step.compensate?.(Object.assign(context, undo)) : () => step.run(context);
}

/** The same for every attempt of a step in a direction. */
export function idempotencyKeyOf(orderId: string, { step, direction }: Position): string {
  return `${orderId}:${step}:${direction}`;
}
