import type { OrderViewJson } from '#gateway/api.ts';
import { shortId } from '../../format.ts';
import { wordOf } from '../../parts/status.tsx';

/** What a person can do about an order, and why not. Pure. */
export type Action = 'cancel' | 'retry' | 'release';

type Stood = Pick<OrderViewJson, 'status' | 'waiting_because'> & {
  /** The order that repeats it, where one was placed from here. */
  retriedAs?: string | undefined;
};

/** Why the order's state forbids it; `undefined`: it does not. */
export function refusalOf(action: Action, order: Stood): string | undefined {
  switch (action) {
    case 'cancel':
      return refuseCancel(order);
    case 'retry':
      return refuseRetry(order);
    case 'release':
      return refuseRelease(order);
  }
}

function refuseCancel({ status, waiting_because: because }: Stood): string | undefined {
  switch (status) {
    case 'queued':
    case 'processing':
      return undefined;
    case 'rolling_back':
      return 'It is being undone already.';
    case 'needs_attention':
      return because?.code === 'quarantined' ? undefined : 'Its undo is stuck: repair the cause, then release it.';
    case 'held':
      return 'It is held: only a release moves it.';
    default:
      return `It has ended: ${wordOf(status)}.`;
  }
}

function refuseRetry({ status, retriedAs }: Stood): string | undefined {
  if (retriedAs !== undefined) return `It was retried: order ${shortId(retriedAs)} has the same content.`;
  if (status === 'failed' || status === 'cancelled') return undefined;
  return status === 'completed'
    ? 'It completed: there is nothing to repeat.'
    : 'Only an order that failed or was cancelled can be retried.';
}

function refuseRelease({ status }: Stood): string | undefined {
  if (status === 'needs_attention' || status === 'held') return undefined;
  return 'Only an order that needs attention or is held can be released.';
}

/** A command that shows the order in a terminal; the token stays a variable of the shell. */
export function curlOf(origin: string, id: string): string {
  return `curl -s -H "Authorization: Bearer $CONVEYOR_TOKEN" '${origin}/orders/${id}'`;
}
