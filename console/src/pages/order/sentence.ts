import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { authorIn } from './event-words.ts';
import { errorOf, type Shown } from './timeline.ts';

/** How an order stands, for a person. Pure. */
export interface Standing {
  says: string;
  /** The cause; it may quote what somebody typed. */
  because?: string | undefined;
  /** When that changes by itself. */
  until?: string | undefined;
}

type Order = Pick<OrderViewJson, 'status' | 'current_step' | 'waiting_because'>;

/** @param present what the order is in just now; `undefined` when it has ended or nothing is known yet */
export function standingOf(order: Order, events: readonly EventJson[], present: Shown | undefined): Standing {
  const { status, current_step: step, waiting_because: waiting } = order;
  const why = waiting === undefined ? {} : { because: waiting.message, until: waiting.until };
  switch (status) {
    case 'queued':
      return { says: waiting?.code === 'retry_at' ? `Waits to try ${step} again.` : `Waits for a slot to begin ${step}.`, ...why };
    case 'processing':
      return { says: `${step} is being worked${countOf(present)}.`, because: present?.error };
    case 'rolling_back':
      return { says: `${waiting ? 'Waits for a slot to undo' : 'Undoes'} ${step}.`, ...causeOf(events), ...why };
    case 'needs_attention':
      return { says: `Stopped at ${step}: a person must look.`, ...why };
    case 'held':
      return { says: 'Kept for later: an operator releases it.', ...why };
    default:
      return endOf(status, events);
  }
}

function countOf(present: Shown | undefined): string {
  return present?.attempt !== undefined && present.attempt > 1 ? `, attempt ${present.attempt}` : '';
}

function endOf(status: OrderViewJson['status'], events: readonly EventJson[]): Standing {
  if (status === 'completed') return { says: 'All its steps are done.' };
  const hadBegun = events.some(({ kind }) => kind === 'claimed');
  if (status === 'cancelled' && !hadBegun) return { says: 'Cancelled before it began.', ...causeOf(events) };
  return {
    says: status === 'failed' ? 'Failed; what it had done was undone.' : 'Cancelled; what it had done was undone.',
    ...causeOf(events),
  };
}

/** Why it was undone: the step that failed, or who cancelled it. */
function causeOf(events: readonly EventJson[]): Pick<Standing, 'because'> {
  const cause = events.findLast(({ kind }) => kind === 'step_failed' || kind === 'cancel_started' || kind === 'cancelled');
  const cancel = events.find(({ kind, data }) => (kind === 'cancel_started' || kind === 'cancelled') && authorIn(data) !== '');
  if (cause?.kind === 'step_failed') return { because: `${cause.step_name} failed: ${errorOf(cause) ?? 'no reason is known'}` };
  return cancel ? { because: `cancelled ${authorIn(cancel.data)}` } : {};
}
