import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import { type FakeAnswer, type FakeRequest, startFakeGateway } from '#test/fake-gateway.ts';
import type { ShownOrder } from '../orders.ts';
import { computeFigures, type Figures } from './figures.ts';
import { runSimulation } from './run.ts';

const TIME = '2026-01-01T00:00:00.000Z';

function orderOf(orderId: string, status: string): ShownOrder {
  const step = { step_name: 'Scheduling', step_start_time: TIME };
  const worked =
    status === 'completed' ? { ...step, step_complete_time: TIME } : { ...step, rollback_time: TIME, error: { message: 'no luck' } };
  const terminal = { step_name: status === 'completed' ? 'Completed' : 'Failed' };
  return { order_id: orderId, status, start_time: TIME, complete_time: TIME, steps: [worked, terminal] };
}

/** A gateway that keeps the promises; tests replace what they want it to break. */
function soundGateway(): (request: FakeRequest) => FakeAnswer {
  const ids = new Map<string, string>();
  return ({ method, path, headers }) => {
    if (path === '/diagnostic/heartbeat') return { status: 200, body: { status: 'OK' } };
    if (method === 'GET') {
      const id = path.slice('/orders/'.length);
      return { status: 200, body: orderOf(id, Number(id.slice(2)) % 4 === 0 ? 'failed' : 'completed') };
    }
    const key = String(headers['idempotency-key']);
    const id = ids.get(key) ?? `o-${ids.size + 1}`;
    const isKnown = ids.has(key);
    ids.set(key, id);
    return { status: isKnown ? 200 : 202, body: { order_id: id, start_time: TIME } };
  };
}

describe('a simulation', () => {
  let stop: (() => Promise<void>) | undefined;
  afterEach(() => stop?.());

  async function run(
    answer: (request: FakeRequest) => FakeAnswer,
    options: { orders?: number; timeoutMs?: number; interrupt?: AbortSignal } = {},
  ): Promise<Figures & { requests: FakeRequest[] }> {
    const gateway = await startFakeGateway(answer);
    stop = gateway.stop;
    const result = await runSimulation({
      access: { endpoint: gateway.endpoint, token: 'user' },
      clock: systemClock,
      orders: options.orders ?? 20,
      concurrency: 4,
      region: 'HCM',
      timeoutMs: options.timeoutMs ?? 20_000,
      interrupt: options.interrupt ?? new AbortController().signal,
      onProgress: undefined,
    });
    return { ...computeFigures(result), requests: gateway.requests };
  }

  it('follows every order to its end', async () => {
    const figures = await run(soundGateway());
    expect(figures).toMatchObject({
      submitted: 20,
      accepted: 20,
      completed: 15,
      failed: 5,
      lost: 0,
      violations: 0,
      failures: { 'no luck': 5 },
      verdict: 'passed',
    });
    const submits = figures.requests.filter(({ method }) => method === 'POST');
    expect(submits).toHaveLength(20);
    for (const { body, headers } of submits) {
      expect(JSON.parse(body)).toMatchObject({ region: 'HCM', quantity: expect.any(Number) });
      expect(headers.authorization).toBe('Bearer user');
    }
  });

  it('repeats under the same key what was refused for now or got no answer', async () => {
    const sound = soundGateway();
    let calls = 0;
    const figures = await run((request) => {
      if (request.method !== 'POST') return sound(request);
      calls += 1;
      if (calls === 1) return { status: 503, headers: { 'retry-after': '1' }, body: { title: 'Too many requests are waiting' } };
      const answer = sound(request);
      return calls === 2 ? { status: 0, body: undefined } : answer;
    });
    expect(figures).toMatchObject({ accepted: 20, retried_submits: 2, verdict: 'passed' });
    expect(new Set(figures.requests.flatMap(({ headers }) => headers['idempotency-key'] ?? [])).size).toBe(20);
  });

  it('finds an accepted order that nobody knows', async () => {
    const sound = soundGateway();
    const figures = await run((request) => (request.path === '/orders/o-3' ? { status: 404, body: {} } : sound(request)));
    expect(figures).toMatchObject({ lost: 1, lost_orders: [{ order_id: 'o-3', reason: 'accepted, but unknown' }], verdict: 'failed' });
  });

  it('counts as lost what has not ended in time', async () => {
    const sound = soundGateway();
    const figures = await run(
      (request) => (request.path === '/orders/o-3' ? { status: 200, body: orderOf('o-3', 'processing') } : sound(request)),
      { timeoutMs: 700 },
    );
    expect(figures).toMatchObject({
      completed: 14,
      lost: 1,
      lost_orders: [{ order_id: 'o-3', reason: 'not ended in time: processing' }],
      verdict: 'failed',
    });
  });

  it('lists a rollback that is not complete', async () => {
    const sound = soundGateway();
    const broken = { ...orderOf('o-4', 'failed'), steps: [{ step_name: 'Scheduling', error: 'x' }, { step_name: 'Failed' }] };
    const figures = await run((request) => (request.path === '/orders/o-4' ? { status: 200, body: broken } : sound(request)));
    expect(figures).toMatchObject({
      violations: 1,
      violation_list: [{ order_id: 'o-4', reason: 'Scheduling has no rollback_time' }],
      verdict: 'failed',
    });
  });

  it('counts what is refused for good, and stops at once where the token is not valid', async () => {
    const sound = soundGateway();
    const refuse = (status: number) => (request: FakeRequest) =>
      request.method === 'POST' ? { status, body: { title: 'No', detail: 'not so' } } : sound(request);
    expect(await run(refuse(422))).toMatchObject({ rejected: 20, rejections: { 'HTTP 422: No: not so': 20 }, verdict: 'failed' });
    await stop?.();
    await expect(run(refuse(401))).rejects.toMatchObject({ exitCode: 4, message: 'No: not so' });
  });

  it('ends early when it is interrupted, and loses nothing by that', async () => {
    const interrupt = new AbortController();
    const sound = soundGateway();
    const figures = await run(
      (request) => {
        if (request.path === '/orders/o-20') interrupt.abort('interrupted');
        return request.path === '/orders/o-20' ? { status: 200, body: orderOf('o-20', 'processing') } : sound(request);
      },
      { interrupt: interrupt.signal },
    );
    expect(figures).toMatchObject({ verdict: 'interrupted', lost: 0 });
    expect(figures.open).toBeGreaterThan(0);
  });

  it('says at once that nobody answers', async () => {
    const unreachable = { endpoint: 'http://127.0.0.1:1', token: 'user' };
    const options = {
      access: unreachable,
      clock: systemClock,
      orders: 1,
      concurrency: 1,
      region: undefined,
      timeoutMs: 10_000,
      onProgress: undefined,
    };
    await expect(runSimulation({ ...options, interrupt: new AbortController().signal })).rejects.toThrow(
      /does not answer \(ECONNREFUSED\)/,
    );
  });
});
