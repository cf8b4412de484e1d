import { EVENT_KINDS, type EventKind } from '#domain/order-state.ts';
import type { DeliveryJson, WebhookJson } from '#gateway/api-webhooks.ts';
import type { Tone } from '../../api/happenings.ts';

/** What a webhook can tell, and what its states mean, in words. Pure. */

const TELLS: Record<EventKind, string> = {
  completed: 'the last step is done',
  failed: 'it failed and is rolled back',
  cancelled: 'it was cancelled',
  attention_needed: 'it is stopped until a person looks',
  released: 'a person let it go on',
  accepted: 'it is stored and will be worked',
  claimed: 'a slot took it',
  step_completed: 'a step is done',
  step_failed: 'a step failed; the rollback begins',
  cancel_started: 'a cancel was asked for; the rollback begins',
  step_undone: 'a step was undone',
  retry_scheduled: 'a step is tried again later',
  handed_back: 'its node left; it waits for another',
  handed_over: 'its node was lost; it waits for another',
};

/** As the wire has them, those that most want first. */
export const WEBHOOK_EVENTS: readonly { event: string; tells: string }[] = Object.entries(TELLS).map(([kind, tells]) => ({
  event: `order.${kind}`,
  tells,
}));

/** Of whoever does not choose. */
export const USUAL_EVENTS: readonly string[] = ['order.completed', 'order.failed', 'order.cancelled'];

export function tellEvents(events: readonly string[]): string {
  if (events.length === EVENT_KINDS.length) return 'every event';
  return events.map((event) => event.replace(/^order\./, '')).join(', ');
}

/** Why nothing is sent, for a line of the list: what the gateway noted, short. */
export function tellDisabled({ disabled_because: because = '' }: WebhookJson): string {
  if (because.includes('410')) return 'gone (410)';
  return because.split(';')[0] ?? '';
}

/** Why nothing is sent, and what to do; `undefined` while something is. */
export function explainDisabled({ enabled, disabled_because: because = '' }: WebhookJson): string | undefined {
  if (enabled) return undefined;
  const later = 'What happens meanwhile waits and is sent when it is enabled again.';
  if (because === 'by its owner') return `Disabled by its owner. ${later}`;
  if (because.includes('410'))
    return `Disabled: the receiver says that this address is gone for good (410). Enter the new address, or enable it if that was a mistake. ${later}`;
  return `Disabled: ${because || 'no reason is known'}. See that the receiver answers with a 2xx status, then enable it. ${later}`;
}

export interface DeliveryWords {
  tone: Tone;
  state: string;
}

export function tellState({ state, attempts }: Pick<DeliveryJson, 'state' | 'attempts'>): DeliveryWords {
  if (state === 'delivered') return { tone: 'good', state: 'Delivered' };
  if (state === 'given_up') return { tone: 'bad', state: 'Given up' };
  return attempts === 0 ? { tone: 'calm', state: 'Waiting' } : { tone: 'warn', state: 'Tried, waiting' };
}

/** What the receiver said last; what it says may be anything. */
export function tellLastAnswer({ last_status: status, last_error: error }: Pick<DeliveryJson, 'last_status' | 'last_error'>): string {
  if (error) return error;
  return status === undefined ? '' : `it answered ${status}`;
}

/** What is wrong with an address as far as can be seen from here; the gateway knows more. */
export function urlFault(text: string): string | undefined {
  if (text.trim() === '') return 'An address is needed';
  if (text.length > 2_000) return `It has ${text.length} characters; at most 2,000 are allowed`;
  const url = URL.parse(text.trim());
  if (!url) return 'This is no address; one such as https://example.com/hooks is expected';
  return url.protocol === 'https:' || url.protocol === 'http:' ? undefined : 'It must begin with https:// or http://';
}
