import type { ReactNode } from 'react';
import type { QueryFault } from '../query/query.ts';
import classes from './search.module.css';

/** What of the search is not understood, and what is possible instead. */
export function Faults({ id, faults }: { id: string; faults: readonly QueryFault[] }): ReactNode {
  return (
    <div id={id} role="status">
      {faults.map(({ part, message }) => (
        <p key={part + message} className={classes['fault']}>
          <span className="mono foreign">{part}</span> {message}
        </p>
      ))}
    </div>
  );
}
