import type { AcceptedOrderJson, OrderPageJson, OrderSummaryJson } from '#gateway/api.ts';
import { ApiFailure, get, post } from '../../../api/client.ts';
import { liveFeed } from '../../../api/live.ts';
import type { Doors, Seen, Submitted } from './stress-run.ts';

/** What a stress run does to the gateway that this page came from. */

const PAGE = 200;
/** Where a refusal does not say when to come back, and where it asks for more patience than a page has. */
const RETRY_AFTER_MS = 1_000;
const MAX_RETRY_AFTER_MS = 30_000;
const OVERLOADED = 503;
const TOO_MANY = 429;

export const gatewayDoors: Doors = {
  submit,
  readPage: async (name, cursor) => {
    const page = await get<OrderPageJson>('/orders', { query: { customer_name: name, limit: PAGE, cursor } });
    return { seen: page.orders.map(seenOf), next: page.next_cursor, isWhole: page.missing_warehouses === undefined };
  },
  readOrder: async (orderId) => {
    try {
      return seenOf(await get<OrderSummaryJson>(`/orders/${orderId}`));
    } catch (error) {
      if (error instanceof ApiFailure && error.problem.status === 404) return null;
      throw error;
    }
  },
  onEvents: (listener) => liveFeed.onEvents(listener),
  onGap: (listener) => liveFeed.onGap(listener),
  onAnswer,
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    }),
};

async function submit(order: object): Promise<Submitted> {
  let retryAfterMs = RETRY_AFTER_MS;
  try {
    const { order_id: orderId, start_time: startTime } = await post<AcceptedOrderJson>('/orders', {
      body: order,
      onResponse: ({ headers }) => {
        const seconds = Number(headers.get('retry-after') ?? Number.NaN);
        if (seconds >= 0) retryAfterMs = Math.min(seconds * 1_000, MAX_RETRY_AFTER_MS);
      },
    });
    return { outcome: 'accepted', orderId, startTime };
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const { status, code, detail } = error.problem;
    if (status === OVERLOADED || status === TOO_MANY) return { outcome: 'busy', retryAfterMs };
    return error.isPassing ? { outcome: 'unanswered' } : { outcome: 'refused', reason: `${code}: ${detail}` };
  }
}

function seenOf({ order_id: orderId, status, complete_time: endedAt }: OrderSummaryJson): Seen {
  return { orderId, status, endedAt };
}

/**
 * From the request's leaving the page to its answer, as the browser measures it: a browser opens six connections to one address
 * over HTTP/1.1, and what waits for one of them is no time of the gateway's.
 */
function onAnswer(listener: (tookMs: number) => void): () => void {
  const address = `${location.origin}/orders`;
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries() as PerformanceResourceTiming[]) {
      const isAccepted = entry.responseStatus === 202 || entry.responseStatus === 200;
      if (entry.name === address && isAccepted) listener(entry.responseEnd - entry.requestStart);
    }
  });
  observer.observe({ type: 'resource' });
  return () => observer.disconnect();
}
