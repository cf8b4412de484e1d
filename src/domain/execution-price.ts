import type { Json } from './json.ts';
import type { OrderEvent } from './order.ts';

/** A step that prices an order says so in its result: `{"execution_price": "12.50", …}`. */

const PRICE = /^\d{1,20}(\.\d{1,6})?$/;

/** The price in the result of one step; `undefined` where there is none. */
function priceInResult(result: Json): string | undefined {
  if (result === null || typeof result !== 'object' || Array.isArray(result)) return undefined;
  const price = result['execution_price'];
  return typeof price === 'string' && PRICE.test(price) ? price : undefined;
}

/** The price that the event's own step computed; `undefined` where it computed none. */
export function priceOfEvent(event: Pick<OrderEvent, 'data'>): string | undefined {
  return priceInResult(resultOf(event));
}

function resultOf({ data }: Pick<OrderEvent, 'data'>): Json {
  return (data as { result?: Json } | null)?.result ?? null;
}

/** The price of an order by the results of its steps: the last one counts. */
export function priceOfResults(results: readonly Json[]): string | undefined {
  return results.reduce<string | undefined>((price, result) => priceInResult(result) ?? price, undefined);
}

/** The price as its history tells it. A step that is undone takes its price along. */
export function priceOfHistory(events: readonly OrderEvent[]): string | undefined {
  const results: Json[] = [];
  for (const event of events) {
    const { kind, step } = event;
    if (kind === 'step_completed' || kind === 'completed') results[step - 1] = resultOf(event);
    // The last undo of an order is told by its end.
    if (kind === 'step_undone' || kind === 'failed' || kind === 'cancelled') results[step - 1] = null;
  }
  return priceOfResults(results.map((result) => result ?? null));
}
