import type { ReactNode } from 'react';
import classes from './notice.module.css';
import { Moment } from './time.tsx';

/** Above what is shown: in what it is not as usual. */
export function Notice({ children }: { children: ReactNode }): ReactNode {
  return (
    <p className={classes['notice']} role="status">
      {children}
    </p>
  );
}

/** What is shown is of an earlier moment, as nothing answers. */
export function Stale({ at }: { at: string }): ReactNode {
  return (
    <Notice>
      The gateway does not answer; this is how it was at <Moment at={at} />. It goes on by itself.
    </Notice>
  );
}
