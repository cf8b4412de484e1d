import type { ReactNode } from 'react';
import classes from './step-cell.module.css';
import type { CellState } from './step-cells.ts';

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

/** One step: a colour, a pattern and a mark, and its words on hover. */
export function StepCell({ state, says }: { state: CellState; says: string }): ReactNode {
  return (
    <span className={classes['cell']} data-cell={state} title={says}>
      {MARKS[state]}
    </span>
  );
}
