import type { lookup } from 'node:dns';
import { Agent, request } from 'undici';
import { messageOf } from '#domain/errors.ts';
import type { Clock } from '#engine/clock.ts';
import { findUrlFault, guardedLookup } from './addresses.ts';
import type { Answer } from './plan.ts';
import { signedHeaders } from './signature.ts';

export interface SenderOptions {
  clock: Clock;
  version: string;
  /** Also to addresses of private networks: for receivers inside one's own. */
  allowInner: boolean;
  /** For tests: names as they say. */
  resolve?: typeof lookup;
  timeoutMs?: number;
}

const TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** What a receiver answers besides is not read further. */
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_ERROR_LENGTH = 300;

/** Sends signed deliveries. Follows no redirect, reads no long answer, waits for nobody longer than 15 seconds. */
export class WebhookSender {
  private readonly options: SenderOptions;
  private readonly agent: Agent;

  constructor(options: SenderOptions) {
    this.options = options;
    const lookup = guardedLookup(options.allowInner, options.resolve);
    // It follows no redirect unless an interceptor is composed with it.
    this.agent = new Agent({
      connect: { lookup, timeout: CONNECT_TIMEOUT_MS },
      pipelining: 0,
      keepAliveTimeout: 1_000,
    });
  }

  async send(target: { url: string; secret: string }, delivery: { id: string; body: unknown }): Promise<Answer> {
    const { clock, version, allowInner, timeoutMs = TIMEOUT_MS } = this.options;
    const fault = findUrlFault(target.url, allowInner);
    if (fault) return { status: undefined, error: `the URL ${fault}` };
    const body = JSON.stringify(delivery.body);
    const headers = signedHeaders(target.secret, { id: delivery.id, atS: Math.floor(clock.now() / 1_000), body });
    const deadline = new AbortController();
    const timer = clock.after(timeoutMs, () => deadline.abort(new Error(`it did not answer within ${timeoutMs} ms`)));
    try {
      const answer = await request(target.url, {
        ...{ method: 'POST', body, dispatcher: this.agent, signal: deadline.signal },
        headers: { ...headers, 'content-type': 'application/json', 'user-agent': `conveyor/${version}` },
      });
      // The status is the answer; the rest is read only so far that the connection can be used again.
      await answer.body.dump({ limit: MAX_ANSWER_BYTES, signal: deadline.signal }).catch(() => undefined);
      const isRedirect = answer.statusCode >= 300 && answer.statusCode < 400;
      return { status: answer.statusCode, error: isRedirect ? `it answered ${answer.statusCode}: redirects are not followed` : undefined };
    } catch (error) {
      const reason = deadline.signal.aborted ? messageOf(deadline.signal.reason) : messageOf(error);
      return { status: undefined, error: reason.slice(0, MAX_ERROR_LENGTH) };
    } finally {
      timer.cancel();
    }
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}
