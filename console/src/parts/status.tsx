import type { ReactNode } from 'react';
import type { OrderStatus } from '#domain/order-state.ts';

const WORDS: Record<OrderStatus, string> = {
  queued: 'Queued',
  processing: 'Processing',
  rolling_back: 'Rolling back',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
  needs_attention: 'Needs attention',
  held: 'Held',
};

export function wordOf(status: OrderStatus): string {
  return WORDS[status];
}

/** An order's status: a mark and its word, never colour alone. */
export function Status({ status }: { status: OrderStatus }): ReactNode {
  return (
    <span className="state" data-state={status}>
      {wordOf(status)}
    </span>
  );
}
