import { afterEach, describe, expect, it, vi } from 'vitest';
import { ApiFailure, get } from './client.ts';

afterEach(() => vi.unstubAllGlobals());

function answerWith(body: BodyInit, init?: ResponseInit): void {
  vi.stubGlobal('fetch', async () => new Response(body, init));
}

const failure = async (): Promise<ApiFailure> => {
  const error: unknown = await get('/orders').catch((caught: unknown) => caught);
  return error instanceof ApiFailure ? error : expect.unreachable();
};

describe('an answer', () => {
  it('is what the gateway said', async () => {
    answerWith('{"orders":[]}');
    expect(await get('/orders')).toEqual({ orders: [] });
  });

  it('that breaks off in the middle is none: asking again may help', async () => {
    answerWith(new ReadableStream({ pull: (controller) => controller.error(new TypeError('network error')) }));
    const { problem, isPassing } = await failure();
    expect([problem.code, isPassing]).toEqual(['unreachable', true]);
  });

  it('that is a problem tells it; what is none of the gateway’s is called so', async () => {
    answerWith('{"status":409,"code":"order-state-conflict"}', { status: 409 });
    expect((await failure()).problem.code).toBe('order-state-conflict');
    for (const status of [200, 502]) {
      answerWith('<html>Bad gateway</html>', { status });
      expect((await failure()).problem).toMatchObject({ status, code: 'unexpected-answer' });
    }
  });
});
