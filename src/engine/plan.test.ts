import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAllowed, isTerminal, type Position, positionAfter } from '#domain/order-state.ts';
import { handBack, type Move, nextMove, type Outcome } from './plan.ts';

const ERROR = { code: 'x', message: 'y' };
const FORWARD = (step: number): Position => ({ step, direction: 'forward' });
const BACK = (step: number): Position => ({ step, direction: 'rollback' });
const shape = (retries = 2, stepCount = 4) => ({ stepCount, retry: { retries, delayMs: 60_000 } });
const outcome: fc.Arbitrary<Outcome> = fc.constantFrom<Outcome>(
  { kind: 'done', result: 1 },
  { kind: 'failed', error: ERROR },
  { kind: 'errored', error: ERROR },
  { kind: 'cancelled' },
  { kind: 'crashed', error: ERROR },
);

interface Walk {
  moves: { move: Move; at: Position }[];
  end: Move | undefined;
}

/** Follows the plan with these outcomes, then with success, until the order ends or stops. */
function walk(stepCount: number, retries: number, outcomes: Outcome[]): Walk {
  const left = [...outcomes];
  const walked: Walk = { moves: [], end: undefined };
  let at = FORWARD(1);
  let tries = 0;
  let cancelled = false;
  while (!walked.end && walked.moves.length < 10_000) {
    const next = left.shift() ?? { kind: 'done', result: null };
    const met: Outcome = next.kind === 'cancelled' && at.direction === 'rollback' ? { kind: 'done', result: null } : next;
    cancelled ||= met.kind === 'cancelled';
    const move = nextMove(at, met, shape(retries, stepCount), tries, cancelled ? 'cancelled' : 'failed');
    walked.moves.push({ move, at });
    tries = move.closing?.retries ?? 0;
    at = move.closing?.at ?? positionAfter(move.kind, at);
    if (move.closing && move.closing.state !== 'queued') walked.end = move;
  }
  return walked;
}

describe('the plan', () => {
  const run = fc.record({ stepCount: fc.integer({ min: 1, max: 6 }), retries: fc.nat(3), outcomes: fc.array(outcome, { maxLength: 40 }) });

  it('I12: whatever the handlers answer, an order ends once or stops for a person', () => {
    fc.assert(
      fc.property(run, ({ stepCount, retries, outcomes }) => {
        const { moves, end } = walk(stepCount, retries, outcomes);
        expect(end && (isTerminal(end.kind) || end.kind === 'attention_needed')).toBe(true);
        expect(moves.filter(({ move }) => isTerminal(move.kind)).length).toBe(end?.kind === 'attention_needed' ? 0 : 1);
      }),
    );
  });

  it('I9, I10, I11: completes steps upwards, each once, and undoes every one that began downwards', () => {
    fc.assert(
      fc.property(run, ({ stepCount, retries, outcomes }) => {
        const { moves, end } = walk(stepCount, retries, outcomes);
        const steps = (...kinds: string[]): number[] => moves.filter(({ move }) => kinds.includes(move.kind)).map(({ at }) => at.step);
        const done = steps('step_completed', 'completed');
        expect(done).toEqual(done.map((_, index) => index + 1));
        if (end?.kind === 'completed') expect(done.length).toBe(stepCount);
        const [turn] = steps('step_failed', 'cancel_started');
        if (end?.kind === 'failed' || end?.kind === 'cancelled')
          expect(steps('step_undone', 'failed', 'cancelled')).toEqual(
            Array.from({ length: turn as number }, (_, index) => (turn as number) - index),
          );
      }),
    );
  });

  it('plans nothing that the state machine forbids', () => {
    fc.assert(
      fc.property(run, ({ stepCount, retries, outcomes }) => {
        for (const { move, at } of walk(stepCount, retries, outcomes).moves)
          expect(isAllowed(move.kind, 'running', at.direction)).toBe(true);
      }),
    );
  });

  it('puts a step off as often as its policy says, and no more', () => {
    const errored: Outcome = { kind: 'errored', error: ERROR };
    const planned = nextMove(FORWARD(2), errored, shape(2), 1, 'failed');
    expect(planned).toMatchObject({ kind: 'retry_scheduled', closing: { state: 'queued', at: FORWARD(2), retries: 2, delayMs: 60_000 } });
    expect(nextMove(FORWARD(2), errored, shape(2), 2, 'failed')).toEqual({
      kind: 'step_failed',
      data: { error: ERROR, unknown: true },
      closing: undefined,
    });
    expect(nextMove(BACK(2), errored, shape(2), 2, 'failed')).toMatchObject({
      kind: 'attention_needed',
      closing: { state: 'needs_attention' },
    });
  });

  it('a business failure is final at once, and its outcome is known', () => {
    expect(nextMove(FORWARD(1), { kind: 'failed', error: ERROR }, shape(9), 0, 'failed')).toEqual({
      ...{ kind: 'step_failed', data: { error: ERROR }, closing: undefined },
    });
  });

  it('a cancel turns the order back, and its rollback ends as cancelled', () => {
    expect(nextMove(FORWARD(3), { kind: 'cancelled' }, shape(), 0, 'cancelled').kind).toBe('cancel_started');
    expect(nextMove(BACK(1), { kind: 'done', result: null }, shape(), 0, 'cancelled').kind).toBe('cancelled');
    expect(() => nextMove(BACK(3), { kind: 'cancelled' }, shape(), 0, 'cancelled')).toThrow(/cannot be cancelled/);
  });

  it('I15: an order that killed its own process stops for a person where it stands, in either direction, whatever retries are left', () => {
    for (const at of [FORWARD(2), BACK(2)])
      expect(nextMove(at, { kind: 'crashed', error: ERROR }, shape(9), 1, 'failed')).toEqual({
        kind: 'attention_needed',
        data: { error: ERROR },
        closing: { state: 'needs_attention', at, retries: 1, delayMs: 0 },
      });
  });

  it('hands an order back as it stands, with its retries', () => {
    expect(handBack(BACK(2), 1)).toEqual({
      kind: 'handed_back',
      data: null,
      closing: { state: 'queued', at: BACK(2), retries: 1, delayMs: 0 },
    });
  });
});
