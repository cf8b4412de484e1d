import type { ReactNode } from 'react';
import { type CellState, cellsOf, type SteppedOrder } from './step-cells.ts';
import classes from './step-strip.module.css';

const MARKS: Record<CellState, string> = {
  ahead: '',
  waiting: '…',
  running: '▸',
  done: '✓',
  failed: '×',
  undoing: '‹',
  undone: '↩',
  attention: '!',
  held: '‖',
};

/** An order's steps in one row of small cells: where it stands, where it failed. */
export function StepStrip({ order, stepNames }: { order: SteppedOrder; stepNames: readonly string[] }): ReactNode {
  const cells = cellsOf(order, stepNames);
  return (
    <span className={classes['strip']} role="img" aria-label={cells.map(({ says }) => says).join('; ')}>
      {cells.map(({ name, state, says }) => (
        <StepCell key={name} state={state} says={says} />
      ))}
    </span>
  );
}

/** One step: a colour, a pattern and a mark, and its words on hover. */
export function StepCell({ state, says }: { state: CellState; says: string }): ReactNode {
  return (
    <span className={classes['cell']} data-cell={state} title={says}>
      {MARKS[state]}
    </span>
  );
}
