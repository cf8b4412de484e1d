import { describe, expect, it, vi } from 'vitest';
import type { IsolatedCall } from './handler.ts';
import { silentLog } from './log.ts';
import { ManualClock } from './manual-clock.ts';
import type { Outcome } from './plan.ts';
import { OrderRun, type RunHost } from './run-order.ts';
import type { ClaimedOrder, MoveVerdict, OrderMove } from './store.ts';
import { type CompensationContext, defineWorkflow, type StepContext, StepFailure, step } from './workflow.ts';

type Handler = (context: StepContext) => unknown;

/** A run of a workflow of these handlers; verdicts answer its moves in their order, then `applied`. */
function begin(
  handlers: Handler[],
  options: { claimed?: Partial<ClaimedOrder>; verdicts?: MoveVerdict[]; isolate?: RunHost['isolate'] } = {},
) {
  const moves: OrderMove[] = [];
  const undone: CompensationContext[] = [];
  const verdicts = [...(options.verdicts ?? [])];
  const host: RunHost = {
    ...{ clock: new ManualClock(), log: silentLog, mayWork: () => true },
    ...{ takePlace: () => 'taken' as const, leavePlace: vi.fn(), onLeaving: vi.fn(), onStaying: vi.fn(), onAbandonedHandler: vi.fn() },
    isolate: options.isolate,
    advance: async (move) => {
      moves.push(move);
      return verdicts.shift() ?? 'applied';
    },
  };
  const compensate = (context: CompensationContext): void => void undone.push(context);
  const steps = handlers.map((run, index) => step(`S${index + 1}`, { run, compensate, retry: { retries: 1, delay: '1s' } }));
  const claimed: ClaimedOrder = {
    ...{ orderId: 'o', customerId: 'c', workflow: 'w', workflowVersion: 1, content: {}, step: 1, direction: 'forward', fence: 1 },
    ...{ version: 2, retries: 0, attempt: 1, results: [], brokenStep: undefined, cancelRequested: false, crashCount: 0, keyed: false },
    ...options.claimed,
  };
  const run = new OrderRun(claimed, defineWorkflow({ name: 'w', version: 1, steps }), host);
  return { run, host, moves, undone, kinds: () => moves.map(({ kind }) => kind) };
}

const fails: Handler = () => {
  throw new StepFailure('no');
};
const breaks: Handler = () => {
  throw new Error('down');
};

describe('the run of an order', () => {
  it('I4, I9, I10: goes through all steps, each with its results and a key of its own', async () => {
    const seen: StepContext[] = [];
    const handler = (context: StepContext) => seen.push({ ...context });
    const { run, moves, kinds } = begin([handler, handler, handler]);
    expect(await run.run()).toBe('completed');
    expect(kinds()).toEqual(['step_completed', 'step_completed', 'completed']);
    expect(moves.map(({ version, step: number, fence }) => [version, number, fence])).toEqual([
      [3, 1, 1],
      [4, 2, 1],
      [5, 3, 1],
    ]);
    expect(seen.map(({ idempotencyKey }) => idempotencyKey)).toEqual(['o:1:forward', 'o:2:forward', 'o:3:forward']);
    expect(seen[2]?.results).toEqual({ S1: 1, S2: 2 });
  });

  it('I11: a failed step is undone first, then those before it, newest first', async () => {
    const { run, undone, kinds } = begin([() => 'a', () => 'b', fails, () => 'd']);
    expect(await run.run()).toBe('failed');
    expect(kinds()).toEqual(['step_completed', 'step_completed', 'step_failed', 'step_undone', 'step_undone', 'failed']);
    expect(undone.map(({ stepName, outcome, result }) => [stepName, outcome, result])).toEqual([
      ['S3', 'failed', null],
      ['S2', 'completed', 'b'],
      ['S1', 'completed', 'a'],
    ]);
  });

  it('an error puts the order off; once its retries are used up its outcome is unknown', async () => {
    const first = begin([breaks]);
    expect(await first.run.run()).toBe('put_off');
    expect(first.moves[0]).toMatchObject({ kind: 'retry_scheduled', closing: { retries: 1, delayMs: 1_000 } });
    const last = begin([breaks], { claimed: { retries: 1 } });
    expect(await last.run.run()).toBe('failed');
    expect(last.undone[0]).toMatchObject({ stepName: 'S1', outcome: 'unknown' });
  });

  it('I3: a fenced move ends it at once', async () => {
    const second = vi.fn();
    const { run, kinds } = begin([() => 1, second], { verdicts: ['fenced'] });
    expect(await run.run()).toBe('fenced');
    expect(kinds()).toEqual(['step_completed']);
    expect(second).not.toHaveBeenCalled();
  });

  it('a replayed move counts as written', async () => {
    const { run, moves } = begin([() => 1, () => 2], { verdicts: ['replayed', 'replayed'] });
    expect(await run.run()).toBe('completed');
    expect(moves.map(({ version }) => version)).toEqual([3, 4]);
  });

  it('I12: told that it may not complete, it is undone and ends as cancelled', async () => {
    const { run, host, moves, kinds, undone } = begin([() => 1], { verdicts: ['cancel_requested'] });
    expect(await run.run()).toBe('cancelled');
    expect(kinds()).toEqual(['completed', 'cancel_started', 'cancelled']);
    expect(moves.map(({ version }) => version)).toEqual([3, 3, 4]);
    expect(undone).toHaveLength(1);
    expect([host.onLeaving, host.onStaying].map((told) => vi.mocked(told).mock.calls.length)).toEqual([2, 1]);
  });

  it('a wish that waited is heard before the step begins', async () => {
    const handler = vi.fn();
    const { run, kinds } = begin([() => 1, handler], { claimed: { step: 2, results: [1], cancelRequested: true } });
    expect(await run.run()).toBe('cancelled');
    expect(handler).not.toHaveBeenCalled();
    expect(kinds()).toEqual(['cancel_started', 'step_undone', 'cancelled']);
  });

  describe('of a suspect', () => {
    const error = { code: 'quarantined', message: 'it died' };
    function isolation(...outcomes: (Outcome | 'dropped')[]) {
      const calls: IsolatedCall[] = [];
      const place = {
        run: vi.fn(async (call: IsolatedCall) => {
          calls.push(call);
          return outcomes.shift() ?? ({ kind: 'done', result: calls.length } as const);
        }),
        close: vi.fn(),
      };
      return { calls, place, isolate: vi.fn(() => place) };
    }

    it('calls no handler here: one place is opened for all its steps, and closed when it leaves', async () => {
      const here = vi.fn();
      const { calls, place, isolate } = isolation();
      const { run, kinds } = begin([here, here], { claimed: { crashCount: 2, fence: 7 }, isolate });
      expect(await run.run()).toBe('completed');
      expect(kinds()).toEqual(['step_completed', 'completed']);
      expect(here).not.toHaveBeenCalled();
      expect([isolate, place.close].map((told) => told.mock.calls.length)).toEqual([1, 1]);
      expect(calls.map(({ workflow, version, input }) => [workflow, version, input.stepName, input.idempotencyKey, input.fence])).toEqual([
        ['w', 1, 'S1', 'o:1:forward', 7],
        ['w', 1, 'S2', 'o:2:forward', 7],
      ]);
      expect(calls[1]?.input.results).toEqual({ S1: 1 });
    });

    it('I15: that killed its process stops for a person, in either direction', async () => {
      for (const direction of ['forward', 'rollback'] as const) {
        const { place, isolate } = isolation({ kind: 'crashed', error });
        const { run, moves } = begin([() => 1, () => 2], { claimed: { crashCount: 2, step: 2, direction, results: [1] }, isolate });
        expect(await run.run()).toBe('needs_attention');
        expect(moves).toMatchObject([{ kind: 'attention_needed', step: 2, direction, data: { error } }]);
        expect(place.close).toHaveBeenCalledOnce();
      }
    });

    it('tells the undo what became of the step', async () => {
      const { calls, isolate } = isolation({ kind: 'done', result: 'a' }, { kind: 'failed', error });
      const { run } = begin([() => 1, () => 2], { claimed: { crashCount: 2 }, isolate });
      expect(await run.run()).toBe('failed');
      expect(calls.map(({ input }) => input.undo)).toEqual([
        undefined,
        undefined,
        { outcome: 'failed', result: null },
        { outcome: 'completed', result: 'a' },
      ]);
    });

    it('closes its place when it is taken away', async () => {
      const { place, isolate } = isolation();
      const { run, moves } = begin([() => 1], { claimed: { crashCount: 2 }, isolate });
      place.run.mockImplementation(({ interrupted }) => interrupted.then(() => 'dropped' as const));
      const ended = run.run();
      run.drop();
      expect(await ended).toBe('dropped');
      expect(moves).toEqual([]);
      expect(place.close).toHaveBeenCalledOnce();
    });

    it('is one only from two deaths on, and only where there is a place', async () => {
      const here = vi.fn();
      const { isolate } = isolation();
      await begin([here], { claimed: { crashCount: 1 }, isolate }).run.run();
      await begin([here], { claimed: { crashCount: 2 } }).run.run();
      expect(here).toHaveBeenCalledTimes(2);
      expect(isolate).not.toHaveBeenCalled();
    });
  });

  it('a cancel aborts the running step and undoes it', async () => {
    const { run, undone, kinds } = begin([
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
          queueMicrotask(() => run.cancel());
        }),
    ]);
    expect(await run.run()).toBe('cancelled');
    expect(kinds()).toEqual(['cancel_started', 'cancelled']);
    expect(undone[0]).toMatchObject({ outcome: 'unknown' });
  });

  it('a drain lets the present step end and hands the order back', async () => {
    const second = vi.fn();
    const { run, moves, kinds } = begin([() => run.drain(), second]);
    expect(await run.run()).toBe('handed_back');
    expect(kinds()).toEqual(['step_completed', 'handed_back']);
    expect(moves[1]).toMatchObject({ step: 2, closing: { state: 'queued', at: { step: 2, direction: 'forward' } } });
    expect(second).not.toHaveBeenCalled();
  });

  it('I6: dropped, or without a lease, it writes nothing more', async () => {
    const dropped = begin([() => new Promise(() => queueMicrotask(() => dropped.run.drop()))]);
    expect(await dropped.run.run()).toBe('dropped');
    expect(dropped.moves).toEqual([]);
    const handler = vi.fn();
    const unleased = begin([handler]);
    unleased.host.mayWork = () => false;
    expect(await unleased.run.run()).toBe('dropped');
    expect(handler).not.toHaveBeenCalled();
  });
});
