import type { ReactNode } from 'react';
import classes from './facts.module.css';

/** What is known of one thing: names and values, in as many columns as there is room for. */
export function Facts({ children }: { children: ReactNode }): ReactNode {
  return <dl className={classes['facts']}>{children}</dl>;
}

/** `isLong`: it gets the width that it needs rather than a tower of short lines. */
export function Fact({ name, isLong = false, children }: { name: string; isLong?: boolean; children: ReactNode }): ReactNode {
  return (
    <div className={classes['fact']} data-long={isLong || undefined}>
      <dt className="faint">{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
