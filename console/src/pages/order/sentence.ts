import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { afterFailed } from '../../parts/step-names.ts';
import { authorIn } from './event-words.ts';
import { errorOf, type Shown } from './timeline.ts';

/** How an order stands, for a person. Pure. */
interface Standing {
  says: string;
  /** The cause; it may quote what somebody typed. */
  because?: string | undefined;
  /** When that changes by itself. */
  until?: string | undefined;
}

type Order = Pick<OrderViewJson, 'status' | 'current_step' | 'waiting_because'>;

/** @param present what the order is in just now; `undefined` when it has ended or nothing is known yet */
export function standingOf(order: Order, events: readonly EventJson[], present: Shown | undefined): Standing {
  const { status, waiting_because: waiting } = order;
  // Events come a moment before the order that they changed.
  const step = present?.step ?? order.current_step;
  const why = waiting === undefined ? {} : { because: waiting.message, until: waiting.until };
  switch (status) {
    case 'queued':
      return {
        says: waiting?.code === 'retry_at' ? `Waits to try ${step} again.` : `Waits for a slot to ${goOn(events)} ${step}.`,
        ...why,
      };
    case 'processing':
      return { says: `${step} is being worked${countOf(present)}.`, because: present?.error };
    case 'rolling_back':
      return { says: `${waiting ? 'Waits for a slot to undo' : 'Undoes'} ${step}.`, ...causeOf(events), ...why };
    case 'needs_attention':
      return { says: `Stopped at ${step}: a person must look.`, ...why };
    case 'held':
      return { says: 'Nothing works it until an operator releases it.', ...why };
    default:
      return endOf(status, events);
  }
}

function goOn(events: readonly EventJson[]): string {
  return hasBegun(events) ? 'go on at' : 'begin';
}

function hasBegun(events: readonly EventJson[]): boolean {
  return events.some(({ kind }) => kind === 'claimed');
}

function countOf(present: Shown | undefined): string {
  return present?.attempt !== undefined && present.attempt > 1 ? `, attempt ${present.attempt}` : '';
}

function endOf(status: OrderViewJson['status'], events: readonly EventJson[]): Standing {
  if (status === 'completed') return { says: 'All its steps are done.' };
  return { says: hasBegun(events) ? 'What it had done was undone.' : 'It had not begun.', ...causeOf(events) };
}

/** Why it was undone: the step that failed, or who cancelled it. */
function causeOf(events: readonly EventJson[]): Pick<Standing, 'because'> {
  const cause = events.find(({ kind }) => kind === 'step_failed' || kind === 'cancel_started' || kind === 'cancelled');
  if (cause?.kind === 'step_failed') {
    const { step_name: step = 'A step' } = cause;
    return { because: `${step} failed${afterFailed(step, errorOf(cause) ?? 'no reason is known', ': ')}` };
  }
  const author = authorIn(cause?.data);
  if (cause?.kind === 'cancel_started') return { because: `cancelled at ${cause.step_name} ${author}`.trim() };
  return author === '' ? {} : { because: `cancelled ${author}` };
}
