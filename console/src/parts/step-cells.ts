import type { OrderViewJson } from '#gateway/api.ts';
import { afterFailed, isEndStep } from './step-names.ts';

/** What one step of an order looks like in one word. Pure. */
export type CellState = 'ahead' | 'waiting' | 'running' | 'done' | 'failed' | 'undoing' | 'undone' | 'attention' | 'held';

export interface Cell {
  name: string;
  state: CellState;
  /** In words, with the error if there is one. */
  says: string;
}

export type SteppedOrder = Pick<OrderViewJson, 'status' | 'current_step'> & { steps?: OrderViewJson['steps'] | undefined };
type Step = OrderViewJson['steps'][number];

const WORDS: Record<CellState, string> = {
  ahead: 'not begun',
  waiting: 'waits for a slot',
  running: 'is being worked',
  done: 'done',
  failed: 'failed',
  undoing: 'is being undone',
  undone: 'undone',
  attention: 'stopped; a person must look',
  held: 'held',
};

/** A workflow that has more steps than are known shows those that the order itself names. */
export function cellsOf(order: SteppedOrder, stepNames: readonly string[]): Cell[] {
  const told = new Map((order.steps ?? []).filter(({ step_name: name }) => !isEndStep(name)).map((step) => [step.step_name, step]));
  const current = isEndStep(order.current_step) ? [] : [order.current_step];
  const names = [...new Set([...stepNames, ...told.keys(), ...current])];
  const at = names.indexOf(order.current_step);
  return names.map((name, index) => {
    const step = told.get(name);
    const state = order.steps ? stateOf(order, name, step) : guessState(order, index, at);
    return { name, state, says: `${name}: ${WORDS[state]}${sayError(name, state, step)}` };
  });
}

function sayError(name: string, state: CellState, step: Step | undefined): string {
  if (!step?.error) return '';
  const { message } = step.error;
  return state === 'failed' ? afterFailed(name, message, ', ') : `, ${message}`;
}

function stateOf(order: SteppedOrder, name: string, step: Step | undefined): CellState {
  if (order.current_step === name && !step?.rollback_time) return presentState(order);
  if (!step) return 'ahead';
  if (step.rollback_time) return step.error && !step.step_complete_time ? 'failed' : 'undone';
  if (step.step_complete_time) return 'done';
  return step.error ? 'failed' : 'ahead';
}

function presentState({ status }: SteppedOrder): CellState {
  switch (status) {
    case 'queued':
      return 'waiting';
    case 'rolling_back':
      return 'undoing';
    case 'needs_attention':
      return 'attention';
    case 'held':
      return 'held';
    default:
      return 'running';
  }
}

/** Of an order that came without its steps: what its present step tells of the others. */
function guessState(order: SteppedOrder, index: number, at: number): CellState {
  if (order.status === 'completed') return 'done';
  if (at < 0 || index > at) return 'ahead';
  return index === at ? presentState(order) : 'done';
}
