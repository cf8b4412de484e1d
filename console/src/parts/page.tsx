import { type ReactNode, useEffect } from 'react';
import classes from './page.module.css';

interface PageProps {
  title: string;
  actions?: ReactNode;
  /** It ends with the window: what is last in it scrolls by itself. */
  isFitted?: boolean;
  children: ReactNode;
}

/** The frame of every page: its heading, what can be done there, its content; the title of the browser's tab too. */
export function Page({ title, actions, isFitted = false, children }: PageProps): ReactNode {
  useEffect(() => {
    document.title = `${title} · Conveyor`;
  }, [title]);
  return (
    <div className={classes['page']} data-fitted={isFitted || undefined}>
      <div className={classes['head']}>
        <h1>{title}</h1>
        {actions ? <div className={classes['actions']}>{actions}</div> : null}
      </div>
      {children}
    </div>
  );
}
