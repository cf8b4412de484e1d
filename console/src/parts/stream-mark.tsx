import type { ReactNode } from 'react';
import type { StreamState } from '../api/event-stream.ts';
import classes from './stream-mark.module.css';

/** Whether what one sees is the present: a dot and its word. */
export function StreamMark({ state, children }: { state: StreamState; children: ReactNode }): ReactNode {
  return (
    <span className={classes['mark']} data-stream={state} role="status">
      {children}
    </span>
  );
}
