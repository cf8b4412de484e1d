import { statusAfter } from '#domain/order-state.ts';
import { formatTime } from '#domain/time.ts';
import type { OutboxEvent, OutboxPage, OutboxPlace } from '#engine/outbox.ts';
import type { LiveEventJson } from '../api-live.ts';

/** What followers are told of. Pure: a page of the outbox in, messages out. */

/** Only events that look like this in every field that is given. */
export type LiveFilter = Partial<LiveEventJson>;

/** Made once for all followers. */
export interface LiveEvent {
  view: LiveEventJson;
  /** The message without its id. */
  text: string;
  place: OutboxPlace;
}

export interface LivePage {
  from: OutboxPlace;
  events: readonly LiveEvent[];
  next: OutboxPlace;
}

export function livePageOf(from: OutboxPlace, { events, next }: OutboxPage, warehouse: string): LivePage {
  return { from, next, events: events.map((told) => liveEventOf(told, warehouse)) };
}

export function isWanted({ view }: LiveEvent, filter: LiveFilter): boolean {
  return Object.entries(filter).every(([name, value]) => view[name as keyof LiveEventJson] === value);
}

function liveEventOf({ event, content, stepName, nodeId, place }: OutboxEvent, warehouse: string): LiveEvent {
  const { orderId, version, kind, direction, at } = event;
  const { customer_name, region, symbol } = content;
  const view = {
    order_id: orderId,
    warehouse,
    version,
    kind,
    status: statusAfter(kind, event),
    step_name: stepName,
    direction,
    at: formatTime(at),
    ...(nodeId === undefined ? {} : { node_id: nodeId }),
    ...(customer_name === undefined ? {} : { customer_name }),
    ...(region === undefined ? {} : { region }),
    ...(symbol === undefined ? {} : { symbol }),
  };
  return { view, text: `event: order\ndata: ${JSON.stringify(view)}\n\n`, place };
}
