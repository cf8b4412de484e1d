import { describe, expect, it } from 'vitest';
import type { Json } from '#domain/json.ts';
import type { Order, OrderEvent } from '#domain/order.ts';
import type { Direction, EventKind } from '#domain/order-state.ts';
import { countStarts, foldHistory, positionOf } from './history.ts';

type Line = [kind: EventKind, step: number, direction?: Direction, data?: Json, sessionId?: number | null];

function history(...lines: Line[]): OrderEvent[] {
  return lines.map(([kind, step, direction = 'forward', data = null, sessionId = 7], index) => ({
    ...{ orderId: 'o', version: index + 1, kind, step, direction, fence: 1, at: index, data },
    sessionId: kind === 'accepted' ? null : sessionId,
  }));
}

const row = (changes: Partial<Order> = {}): Order => ({
  ...{ orderId: 'o', customerId: 'c', workflow: 'w', workflowVersion: 1, content: {}, state: 'running', direction: 'forward', step: 1 },
  ...{ ownerSession: 7, fence: 1, version: 2, nextRunAt: 0, retries: 0, acceptedAt: 0, endedAt: null, requested: null },
  ...{ crashCount: 0, retryOf: null, routedBecause: null, keyed: false },
  ...changes,
});

const BEGUN: Line[] = [
  ['accepted', 1],
  ['claimed', 1],
];

describe('folding a history', () => {
  it('a fresh order may come without events', () => {
    expect(foldHistory(row(), [])).toMatchObject({ step: 1, direction: 'forward', version: 2, attempt: 1, results: [], retries: 0 });
    expect(positionOf({ step: 3, direction: 'rollback' }, [])).toEqual({ step: 3, direction: 'rollback' });
  });

  it('keeps every result at its step, null where there was none', () => {
    const events = history(
      ...BEGUN,
      ['step_completed', 1, 'forward', { result: { a: 1 } }],
      ['step_completed', 2],
      ['step_completed', 3, 'forward', { result: 0 }],
    );
    expect(foldHistory(row({ retries: 2 }), events)).toMatchObject({
      step: 4,
      version: 5,
      results: [{ a: 1 }, null, 0],
      retries: 0,
      attempt: 1,
    });
  });

  it('I11: knows how the step ended that is to be undone', () => {
    const failed = history(...BEGUN, ['step_failed', 1, 'forward', { error: { code: 'x', message: 'y' } }]);
    expect(foldHistory(row(), failed)).toMatchObject({ step: 1, direction: 'rollback', brokenStep: { step: 1, outcome: 'failed' } });
    const unknown = history(...BEGUN, ['step_failed', 1, 'forward', { error: {}, unknown: true }]);
    expect(foldHistory(row(), unknown).brokenStep).toEqual({ step: 1, outcome: 'unknown' });
    const cancelled = history(...BEGUN, ['step_completed', 1], ['cancel_started', 2]);
    expect(foldHistory(row({ requested: 'cancel' }), cancelled)).toMatchObject({
      ...{ step: 2, direction: 'rollback', brokenStep: { step: 2, outcome: 'unknown' }, cancelRequested: true },
    });
  });

  it('keeps the retries of a claim after which nothing was written', () => {
    const events = history(...BEGUN, ['retry_scheduled', 1], ['claimed', 1]);
    expect(foldHistory(row({ version: 4, retries: 1 }), events)).toMatchObject({ retries: 1, attempt: 2, version: 4 });
  });

  it('refuses an order that nobody works', () => {
    expect(() => foldHistory(row({ state: 'queued', ownerSession: null }), [])).toThrow(/in somebody’s hands/);
  });
});

describe('counting starts of a step', () => {
  const at = (step: number, direction: Direction = 'forward') => ({ step, direction });
  it.each<[string, Line[], number, number]>([
    ['a claim starts it', BEGUN, 1, 1],
    ['so does going on from the step before', [...BEGUN, ['step_completed', 1]], 2, 1],
    ['a crash in it starts it again', [...BEGUN, ['step_completed', 1], ['handed_over', 2], ['claimed', 2]], 2, 2],
    ['each retry starts it again', [...BEGUN, ['retry_scheduled', 1], ['claimed', 1], ['retry_scheduled', 1], ['claimed', 1]], 1, 3],
    ['handed back before it began, it was not started', [...BEGUN, ['step_completed', 1], ['handed_back', 2], ['claimed', 2]], 2, 1],
    ['other steps do not count', [...BEGUN, ['step_completed', 1]], 3, 0],
  ])('%s', (_what, lines, step, starts) => {
    expect(countStarts(history(...lines), at(step))).toBe(starts);
  });

  it('counts the two directions of a step apart, and no turn from outside', () => {
    const lines: Line[] = [...BEGUN, ['handed_over', 1], ['cancel_started', 1, 'forward', null, null], ['claimed', 1, 'rollback']];
    expect(countStarts(history(...lines), at(1))).toBe(1);
    expect(countStarts(history(...lines), at(1, 'rollback'))).toBe(1);
  });
});
