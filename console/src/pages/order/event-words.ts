import type { EventKind } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';
import { formatDuration, formatMoney } from '../../format.ts';
import { errorOf } from './timeline.ts';

/** An order's events in words. Pure. */

const TITLES: Record<EventKind, string> = {
  accepted: 'Accepted',
  claimed: 'Taken by a slot',
  step_completed: 'Step completed',
  step_failed: 'Step failed',
  cancel_started: 'Cancel began',
  step_undone: 'Step undone',
  retry_scheduled: 'Retry scheduled',
  handed_back: 'Handed back',
  handed_over: 'Handed over',
  completed: 'Completed',
  failed: 'Failed',
  cancelled: 'Cancelled',
  attention_needed: 'Needs attention',
  released: 'Released',
};

export function titleOf(kind: string): string {
  return TITLES[kind as EventKind] ?? kind;
}

interface Data {
  actor?: string;
  reason?: string;
  retry?: number;
  retries?: number;
  delay_ms?: number;
  retry_of?: string;
  unknown?: boolean;
  result?: { execution_price?: unknown };
}

/** What happened, in a sentence where the kind alone does not tell it; it may quote what somebody typed. */
export function tellEvent(event: EventJson): string {
  const data = (event.data ?? {}) as Data;
  switch (event.kind as EventKind) {
    case 'retry_scheduled':
      return join([`retry ${data.retry} of ${data.retries} in ${formatDuration(data.delay_ms ?? 0)}`, errorOf(event)]);
    case 'step_failed':
      return join([errorOf(event), data.unknown ? 'nobody knows whether it took effect' : undefined]);
    case 'step_completed':
    case 'completed':
      return typeof data.result?.execution_price === 'string' ? `execution price ${formatMoney(data.result.execution_price)}` : '';
    case 'handed_over':
      return 'its node was lost; another goes on';
    case 'handed_back':
      return 'its node left in good order';
    case 'attention_needed':
      return errorOf(event) ?? '';
    default:
      return authorIn(data);
  }
}

/** `by operator: customer called`. */
export function authorIn(data: unknown): string {
  const { actor, reason } = (data ?? {}) as Data;
  if (actor === undefined) return '';
  return reason === undefined ? `by ${actor}` : `by ${actor}: ${reason}`;
}

function join(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join('; ');
}
