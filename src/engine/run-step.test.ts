import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { ABORT_GRACE_MS, type Interruption, MAX_RESULT_BYTES, runStep, type StepCall } from './run-step.ts';
import { StepFailure } from './workflow.ts';

function call(handler: (signal: AbortSignal) => unknown) {
  const clock = new ManualClock();
  const abort = new AbortController();
  const interruption = Promise.withResolvers<Interruption>();
  const onAbandoned = vi.fn();
  const step: StepCall = {
    call: () => handler(abort.signal),
    abort,
    timeoutMs: 5_000,
    clock,
    interrupted: () => interruption.promise,
    onAbandoned,
  };
  return { clock, abort, onAbandoned, interrupt: interruption.resolve, outcome: Promise.resolve(runStep(step)) };
}

/** Lets every promise that can go on do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = (): Promise<never> => new Promise(() => undefined);

describe('a handler that answers', () => {
  it.each([
    ['nothing', () => undefined, null],
    ['a value', () => ({ a: [1, 'x', null] }), { a: [1, 'x', null] }],
    ['a promise', async () => 'later', 'later'],
    // biome-ignore lint/suspicious/noThenProperty: a handler may answer with such an object, and it is waited for.
    ['a thenable', () => ({ then: (resolve: (value: number) => void) => resolve(7) }), 7],
  ])('%s is done', async (_what, handler, result) => {
    const { outcome, clock } = call(handler);
    expect(await outcome).toEqual({ kind: 'done', result });
    expect(clock.waitingCount).toBe(0);
  });

  it.each([
    ['a function', () => () => 1],
    ['a NUL', () => 'a\u0000'],
    ['a Map', async () => new Map()],
    ['an infinite number', () => ({ price: Number.POSITIVE_INFINITY })],
    [
      'a circle',
      () => {
        const circle: { self?: unknown } = {};
        circle.self = circle;
        return circle;
      },
    ],
  ])('%s fails for good, because it cannot be kept', async (_what, handler) => {
    expect(await call(handler).outcome).toMatchObject({ kind: 'failed', error: { code: 'result_not_json' } });
  });

  it('too much fails for good', async () => {
    expect(await call(() => 'x'.repeat(MAX_RESULT_BYTES - 2)).outcome).toMatchObject({ kind: 'done' });
    expect(await call(() => 'x'.repeat(MAX_RESULT_BYTES)).outcome).toMatchObject({ kind: 'failed', error: { code: 'result_too_large' } });
  });
});

describe('a handler that throws', () => {
  it('StepFailure is final, anything else may pass', async () => {
    const failure = call(() => {
      throw new StepFailure('out of stock');
    });
    expect(await failure.outcome).toEqual({ kind: 'failed', error: { code: 'step_failure', message: 'out of stock' } });
    const passing = call(async () => {
      throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    });
    expect(await passing.outcome).toEqual({ kind: 'errored', error: { code: 'ECONNRESET', message: 'reset' } });
  });

  it.each([undefined, null, 'a text', 42, { odd: true }, Symbol('s'), Object.create(null)])(
    'no Error (%o) is an error all the same',
    async (thrown) => {
      for (const handler of [
        () => {
          throw thrown;
        },
        () => Promise.reject(thrown),
      ]) {
        expect(await call(handler).outcome).toMatchObject({
          kind: 'errored',
          error: { code: 'not_an_error', message: expect.any(String) },
        });
      }
    },
  );

  it('a message that cannot be stored is made so, and bounded', async () => {
    const { outcome } = call(() => {
      throw new Error(`\u0000\ud800${'x'.repeat(9_000)}`);
    });
    const answer = (await outcome) as { error: { message: string } };
    expect(answer.error.message).not.toContain('\u0000');
    expect(answer.error.message.isWellFormed()).toBe(true);
    expect(answer.error.message.length).toBe(2_000);
  });
});

describe('a handler that never returns', () => {
  it('is aborted at its timeout, left behind after its grace, and counted', async () => {
    const { clock, abort, outcome, onAbandoned } = call(never);
    clock.pass(4_999);
    await settle();
    expect(abort.signal.aborted).toBe(false);
    clock.pass(1);
    await settle();
    expect(abort.signal.reason).toMatchObject({ name: 'TimeoutError' });
    clock.pass(ABORT_GRACE_MS);
    expect(await outcome).toMatchObject({ kind: 'errored', error: { code: 'timeout' } });
    expect(onAbandoned).toHaveBeenCalledTimes(1);
    expect(clock.waitingCount).toBe(0);
  });

  it('one that ends in its grace keeps its answer, one that obeys with an error timed out', async () => {
    const finished = Promise.withResolvers<string>();
    const late = call(() => finished.promise);
    late.clock.pass(5_000);
    await settle();
    finished.resolve('after all');
    expect(await late.outcome).toEqual({ kind: 'done', result: 'after all' });
    const obedient = call((signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))));
    obedient.clock.pass(5_000);
    expect(await obedient.outcome).toMatchObject({ kind: 'errored', error: { code: 'timeout' } });
    expect([late, obedient].map(({ onAbandoned }) => onAbandoned.mock.calls.length)).toEqual([0, 0]);
  });

  it('a cancel aborts it; what it answers then does not matter', async () => {
    const { clock, interrupt, abort, outcome, onAbandoned } = call(never);
    interrupt('cancelled');
    await settle();
    expect(abort.signal.reason).toMatchObject({ name: 'AbortError' });
    clock.pass(ABORT_GRACE_MS);
    expect(await outcome).toEqual({ kind: 'cancelled' });
    expect(onAbandoned).toHaveBeenCalledTimes(1);
  });

  it('when the order was taken away nobody waits for it', async () => {
    const { clock, interrupt, abort, outcome } = call(never);
    interrupt('dropped');
    expect(await outcome).toBe('dropped');
    expect(abort.signal.aborted).toBe(true);
    expect(clock.waitingCount).toBe(0);
  });
});
