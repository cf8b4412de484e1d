import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import { type Answer, type ApiClient, explainRefusal } from '../client.ts';
import { EXIT } from '../faults.ts';
import type { Followed, Tally } from './tally.ts';

export interface SubmitOptions {
  client: ApiClient;
  clock: Clock;
  tally: Tally;
  orders: number;
  concurrency: number;
  /** Each order names one of them at random; without any, none. */
  regions: readonly string[];
  /** Makes the idempotency keys of this run its own. */
  runId: string;
  signal: AbortSignal;
  onAccepted: (order: Followed) => void;
}

const CUSTOMERS = ['Ada', 'Bình', 'Chloé', 'Đức', 'Edgar', 'Frida', 'Grace', 'Hương'] as const;
const MAX_QUANTITY = 100;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

/** Submits all orders, `concurrency` at a time. Ends early when the signal is aborted; rejects when the token is refused. */
export async function submitOrders(options: SubmitOptions): Promise<void> {
  let next = 0;
  const submitNext = async (): Promise<void> => {
    while (next < options.orders && !options.signal.aborted) {
      next += 1;
      await submitOrder(options, next);
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, options.orders) }, submitNext));
}

/** Until it is accepted or refused for good; always under the same key, so that a lost answer makes no second order. */
async function submitOrder(options: SubmitOptions, number: number): Promise<void> {
  const { clock, tally, signal } = options;
  const body = makeOrder(options);
  const sentAtMs = clock.monotonic();
  tally.submitted += 1;
  for (let backoffMs = FIRST_BACKOFF_MS; ; backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2)) {
    const answer = await trySend(options, body, `simulate-${options.runId}-${number}`);
    if ('status' in answer && answer.status !== 503 && answer.status !== 429) return takeAnswer(options, answer, sentAtMs);
    if (signal.aborted) return tally.reject('status' in answer ? `HTTP ${answer.status} until the end` : answer.unreachable);
    tally.retriedSubmits += 1;
    await sleep(clock, 'status' in answer ? retryAfterMs(answer, backoffMs) : backoffMs, signal).catch(() => undefined);
  }
}

async function trySend({ client, signal }: SubmitOptions, body: object, key: string): Promise<Answer | { unreachable: string }> {
  try {
    return await client.send({ method: 'POST', path: '/orders', body, headers: { 'idempotency-key': key }, signal });
  } catch (error) {
    return { unreachable: `no answer (${(error as NodeJS.ErrnoException).code ?? messageOf(error)})` };
  }
}

function takeAnswer({ clock, tally, onAccepted }: SubmitOptions, answer: Answer, sentAtMs: number): void {
  const orderId = (answer.body as { order_id?: unknown } | undefined)?.order_id;
  if ((answer.status === 202 || answer.status === 200) && typeof orderId === 'string') {
    const acceptedAtMs = clock.monotonic();
    tally.accepted += 1;
    tally.submitLatenciesMs.push(acceptedAtMs - sentAtMs);
    onAccepted({ orderId, acceptedAtMs });
    return;
  }
  const refusal = explainRefusal(answer);
  if (refusal.exitCode === EXIT.notAllowed) throw refusal;
  tally.reject(`HTTP ${answer.status}: ${refusal.message.split('\n')[0]}`);
}

function retryAfterMs({ headers }: Answer, backoffMs: number): number {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : backoffMs;
}

function makeOrder({ clock, regions }: SubmitOptions): object {
  const customerName = CUSTOMERS[Math.floor(clock.random() * CUSTOMERS.length)];
  const quantity = 1 + Math.floor(clock.random() * MAX_QUANTITY);
  const region = regions[Math.floor(clock.random() * regions.length)];
  return { customer_name: customerName, quantity, ...(region === undefined ? {} : { region }) };
}
