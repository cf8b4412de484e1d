/**
 * The states of an order and the only ways between them. The store writes nothing that this table does not allow; the
 * SQL's from-states, the memory store and the history reader are all held against it.
 *
 * `state` is what the row says, `direction` whether the order is being carried or undone. What a customer sees
 * (`status`) follows from the two.
 */
export const ORDER_STATES = ['queued', 'running', 'completed', 'failed', 'cancelled', 'held', 'needs_attention'] as const;
export type OrderState = (typeof ORDER_STATES)[number];

export const DIRECTIONS = ['forward', 'rollback'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const ORDER_STATUSES = [
  'queued',
  'processing',
  'rolling_back',
  'completed',
  'failed',
  'cancelled',
  'needs_attention',
  'held',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

export const EVENT_KINDS = [
  'accepted',
  'claimed',
  'step_completed',
  'step_failed',
  'cancel_started',
  'step_undone',
  'retry_scheduled',
  'handed_back',
  'handed_over',
  'completed',
  'failed',
  'cancelled',
  'attention_needed',
  'released',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** Where an order stands: the step that runs next or now, and in which direction. Steps count from 1. */
export interface Position {
  step: number;
  direction: Direction;
}

interface Transition {
  from: readonly OrderState[];
  /** The direction the order must have had; both if absent. */
  direction?: Direction;
  /** The state afterwards; `same` keeps it. */
  to: OrderState | 'same';
  /** The position afterwards, from the step and direction the event tells of. */
  next: (at: Position) => Position;
}

const stay = (at: Position): Position => at;
const undo = (at: Position): Position => ({ step: at.step, direction: 'rollback' });

export const TRANSITIONS: Readonly<Record<EventKind, Transition>> = {
  accepted: { from: [], to: 'queued', next: stay },
  claimed: { from: ['queued'], to: 'running', next: stay },
  step_completed: { from: ['running'], direction: 'forward', to: 'same', next: (at) => ({ step: at.step + 1, direction: 'forward' }) },
  step_failed: { from: ['running'], direction: 'forward', to: 'same', next: undo },
  cancel_started: { from: ['running', 'queued'], direction: 'forward', to: 'same', next: undo },
  step_undone: { from: ['running'], direction: 'rollback', to: 'same', next: (at) => ({ step: at.step - 1, direction: 'rollback' }) },
  retry_scheduled: { from: ['running'], to: 'queued', next: stay },
  handed_back: { from: ['running'], to: 'queued', next: stay },
  handed_over: { from: ['running'], to: 'queued', next: stay },
  completed: { from: ['running'], direction: 'forward', to: 'completed', next: stay },
  failed: { from: ['running'], direction: 'rollback', to: 'failed', next: stay },
  cancelled: { from: ['running', 'queued'], to: 'cancelled', next: stay },
  attention_needed: { from: ['running'], to: 'needs_attention', next: stay },
  released: { from: ['needs_attention', 'held'], to: 'queued', next: stay },
};

const ENDED: ReadonlySet<OrderState> = new Set(['completed', 'failed', 'cancelled']);

/** Whether nothing can happen to the order any more. */
export function isEnded(state: OrderState): boolean {
  return ENDED.has(state);
}

/** Whether the event is the last of its order's history. */
export function isTerminal(kind: EventKind): boolean {
  const { to } = TRANSITIONS[kind];
  return to !== 'same' && isEnded(to);
}

/** Where an order stands after an event that tells of `at`. */
export function positionAfter(kind: EventKind, at: Position): Position {
  return TRANSITIONS[kind].next(at);
}

/** Whether an order in `state` and `direction` may meet an event of this kind. */
export function isAllowed(kind: EventKind, state: OrderState, direction: Direction): boolean {
  const transition = TRANSITIONS[kind];
  return transition.from.includes(state) && (transition.direction === undefined || transition.direction === direction);
}

/** What a customer is told. */
export function publicStatus(state: OrderState, direction: Direction): OrderStatus {
  switch (state) {
    case 'queued':
      return direction === 'rollback' ? 'rolling_back' : 'queued';
    case 'running':
      return direction === 'rollback' ? 'rolling_back' : 'processing';
    default:
      return state;
  }
}

/** What a customer is told of an order right after an event. */
export function statusAfter(kind: EventKind, at: Position): OrderStatus {
  const { to } = TRANSITIONS[kind];
  // What keeps the state happens to an order that runs, or turns one that waits back: then both have the same status.
  return publicStatus(to === 'same' ? 'running' : to, positionAfter(kind, at).direction);
}
