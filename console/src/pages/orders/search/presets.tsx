import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import classes from './search.module.css';

const PRESETS = [
  { label: 'All', q: undefined },
  { label: 'Running', q: 'status:processing' },
  { label: 'Waiting', q: 'status:queued' },
  { label: 'Failed', q: 'status:failed' },
  { label: 'Needs attention', q: 'status:needs_attention' },
] as const;

/** The searches that everybody needs. */
export function Presets({ cols }: { cols: string | undefined }): ReactNode {
  return (
    <nav aria-label="Usual searches" className={classes['presets']}>
      {PRESETS.map(({ label, q }) => (
        <Link key={label} to="/ui/orders" search={{ q, cols }} className={classes['preset']} activeOptions={{ exact: true }}>
          {label}
        </Link>
      ))}
    </nav>
  );
}
