import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { shortId } from '../format.ts';

/** An order's id, short, as the way to its page. */
export function OrderLink({ id, whole = false, tabIndex }: { id: string; whole?: boolean; tabIndex?: number }): ReactNode {
  return (
    <Link to="/ui/orders/$id" params={{ id }} className="mono" title={id} tabIndex={tabIndex}>
      {whole ? id : shortId(id)}
    </Link>
  );
}
