import { describe, expect, it } from 'vitest';
import {
  DIRECTIONS,
  type Direction,
  EVENT_KINDS,
  type EventKind,
  isAllowed,
  isEnded,
  isTerminal,
  ORDER_STATES,
  ORDER_STATUSES,
  type OrderState,
  type OrderStatus,
  positionAfter,
  publicStatus,
  statusAfter,
  TRANSITIONS,
} from './order-state.ts';

/** Every state that can be reached from the acceptance, with the direction it has there. */
function reachable(): Set<string> {
  const seen = new Set<string>();
  const open: [OrderState, Direction][] = [['queued', 'forward']];
  for (let next = open.pop(); next; next = open.pop()) {
    const [state, direction] = next;
    if (seen.has(`${state} ${direction}`)) continue;
    seen.add(`${state} ${direction}`);
    for (const kind of EVENT_KINDS.filter((candidate) => isAllowed(candidate, state, direction))) {
      const { to } = TRANSITIONS[kind];
      open.push([to === 'same' ? state : to, positionAfter(kind, { step: 2, direction }).direction]);
    }
  }
  return seen;
}

describe('the table of transitions', () => {
  it('is closed: it names every event kind and no state that does not exist', () => {
    expect(Object.keys(TRANSITIONS).sort()).toEqual([...EVENT_KINDS].sort());
    for (const { from, to } of Object.values(TRANSITIONS)) {
      for (const state of [...from, ...(to === 'same' ? [] : [to])]) expect(ORDER_STATES).toContain(state);
    }
  });

  it('I12: nothing can happen to an order that ended', () => {
    for (const state of ORDER_STATES.filter(isEnded)) {
      for (const kind of EVENT_KINDS) for (const direction of DIRECTIONS) expect(isAllowed(kind, state, direction)).toBe(false);
    }
    expect(EVENT_KINDS.filter(isTerminal).sort()).toEqual(['cancelled', 'completed', 'failed']);
  });

  it('I1: every state but held can be reached, and from every open one an end can be', () => {
    const seen = reachable();
    const states = new Set([...seen].map((place) => place.split(' ')[0]));
    expect(ORDER_STATES.filter((state) => !states.has(state))).toEqual(['held']);
    expect(seen).not.toContain('completed rollback');
    expect(seen).not.toContain('failed forward');
  });

  it('I8: only an order that runs meets a step event', () => {
    const stepEvents: EventKind[] = ['step_completed', 'step_failed', 'step_undone', 'completed', 'failed', 'retry_scheduled'];
    for (const kind of stepEvents) {
      for (const direction of DIRECTIONS) expect(isAllowed(kind, 'queued', direction)).toBe(false);
    }
  });

  it('I11: once turned back, an order never goes forward again', () => {
    for (const kind of EVENT_KINDS) {
      for (const state of ORDER_STATES.filter((from) => isAllowed(kind, from, 'rollback'))) {
        expect([kind, state, positionAfter(kind, { step: 3, direction: 'rollback' }).direction]).toEqual([kind, state, 'rollback']);
      }
    }
  });

  it('I9, I11: a step forward, a step back, a turn, or where it stood', () => {
    expect(positionAfter('step_completed', { step: 2, direction: 'forward' })).toEqual({ step: 3, direction: 'forward' });
    expect(positionAfter('step_undone', { step: 2, direction: 'rollback' })).toEqual({ step: 1, direction: 'rollback' });
    for (const kind of ['step_failed', 'cancel_started'] as const)
      expect(positionAfter(kind, { step: 2, direction: 'forward' })).toEqual({ step: 2, direction: 'rollback' });
    for (const kind of ['claimed', 'handed_over', 'handed_back', 'retry_scheduled'] as const)
      for (const direction of DIRECTIONS) expect(positionAfter(kind, { step: 2, direction })).toEqual({ step: 2, direction });
  });
});

describe('what a customer is told', () => {
  it('is a status of the contract, for every state and direction', () => {
    const told = new Set(ORDER_STATES.flatMap((state) => DIRECTIONS.map((direction) => publicStatus(state, direction))));
    expect([...told].sort()).toEqual([...ORDER_STATUSES].sort());
  });

  it('is rolling_back whether a slot has it or it waits for one', () => {
    expect(publicStatus('queued', 'rollback')).toBe('rolling_back');
    expect(publicStatus('running', 'rollback')).toBe('rolling_back');
    expect(publicStatus('running', 'forward')).toBe('processing');
    expect(publicStatus('failed', 'rollback')).toBe('failed');
  });
});

describe('the status after an event', () => {
  const forward: [EventKind, OrderStatus][] = [
    ['accepted', 'queued'],
    ['claimed', 'processing'],
    ['step_completed', 'processing'],
    ['step_failed', 'rolling_back'],
    ['cancel_started', 'rolling_back'],
    ['retry_scheduled', 'queued'],
    ['handed_back', 'queued'],
    ['handed_over', 'queued'],
    ['completed', 'completed'],
    ['cancelled', 'cancelled'],
    ['attention_needed', 'needs_attention'],
    ['released', 'queued'],
  ];
  const back: [EventKind, OrderStatus][] = [
    ['claimed', 'rolling_back'],
    ['step_undone', 'rolling_back'],
    ['retry_scheduled', 'rolling_back'],
    ['handed_back', 'rolling_back'],
    ['handed_over', 'rolling_back'],
    ['failed', 'failed'],
    ['cancelled', 'cancelled'],
    ['attention_needed', 'needs_attention'],
    ['released', 'rolling_back'],
  ];
  it.each(forward)('%s going forward: %s', (kind, status) => expect(statusAfter(kind, { step: 2, direction: 'forward' })).toBe(status));
  it.each(back)('%s while it is undone: %s', (kind, status) => expect(statusAfter(kind, { step: 2, direction: 'rollback' })).toBe(status));

  it('is known for every kind, and is that of the state it leads to, whatever the order was before', () => {
    expect([...new Set([...forward, ...back].map(([kind]) => kind))].sort()).toEqual([...EVENT_KINDS].sort());
    for (const kind of EVENT_KINDS) {
      for (const state of ORDER_STATES) {
        for (const direction of DIRECTIONS.filter((one) => isAllowed(kind, state, one))) {
          const { to } = TRANSITIONS[kind];
          const after = positionAfter(kind, { step: 2, direction });
          expect(statusAfter(kind, { step: 2, direction })).toBe(publicStatus(to === 'same' ? state : to, after.direction));
        }
      }
    }
  });
});
