import type { ReactNode } from 'react';
import classes from './facts.module.css';

/** What is known of one thing: names and values, in as many columns as there is room for. */
export function Facts({ children }: { children: ReactNode }): ReactNode {
  return <dl className={classes['facts']}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }): ReactNode {
  return (
    <div>
      <dt className="faint">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
