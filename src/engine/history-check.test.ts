import { describe, expect, it } from 'vitest';
import type { Order, OrderEvent, OrderRecord } from '#domain/order.ts';
import type { Direction, EventKind } from '#domain/order-state.ts';
import { findViolations } from './history-check.ts';

type Line = [kind: EventKind, step: number, direction?: Direction, session?: number | null, fence?: number];

const GOOD: Line[] = [
  ['accepted', 1, 'forward', null, 0],
  ['claimed', 1, 'forward', 7, 1],
  ['step_completed', 1],
  ['handed_over', 2, 'forward', 7, 2],
  ['claimed', 2, 'forward', 5, 3],
  ['step_failed', 2, 'forward', 5, 3],
  ['step_undone', 2, 'rollback', 5, 3],
  ['failed', 1, 'rollback', 5, 3],
];

function record(lines: Line[], changes: Partial<Order> = {}): OrderRecord {
  const events = lines.map(([kind, step, direction = 'forward', sessionId = 7, fence = 1], index): OrderEvent => {
    return { orderId: 'o', version: index + 1, kind, step, direction, sessionId, fence, at: index, data: null };
  });
  const order = { orderId: 'o', workflow: 'w', workflowVersion: 1, state: 'failed', fence: 4, ...changes } as Order;
  return { order, events, nodes: new Map() };
}

const invariantsOf = (broken: OrderRecord, allEnded = true): string[] => [
  ...new Set(findViolations([broken], { stepCountOf: () => 2, allEnded }).map(({ invariant }) => invariant)),
];

describe('the history checker', () => {
  it('finds nothing in a good history', () => {
    expect(invariantsOf(record(GOOD))).toEqual([]);
    const completed: Line[] = [
      ['accepted', 1, 'forward', null, 0],
      ['claimed', 1],
      ['step_completed', 1],
      ['completed', 2],
    ];
    expect(invariantsOf(record(completed, { state: 'completed' }))).toEqual([]);
    const cancelled: Line[] = [
      ['accepted', 1, 'forward', null, 0],
      ['cancelled', 1, 'forward', null, 1],
    ];
    expect(invariantsOf(record(cancelled, { state: 'cancelled' }))).toEqual([]);
  });

  const without = (index: number): Line[] => GOOD.filter((_, at) => at !== index);
  const changed = (index: number, line: Line): Line[] => GOOD.map((old, at) => (at === index ? line : old));
  const seeded: [invariant: string, what: string, broken: OrderRecord][] = [
    ['I1', 'an accepted order that never ends', record(GOOD.slice(0, 3), { state: 'running' })],
    ['I1', 'a history without a beginning', record(without(0))],
    ['I3', 'two claims without a hand-over', record(without(3))],
    ['I4', 'a gap in the versions', { ...record(GOOD), events: record(GOOD).events.filter((event) => event.version !== 3) }],
    ['I5', 'a fence that falls', record(changed(4, ['claimed', 2, 'forward', 5, 0]))],
    ['I7', 'a step event of a session that is not the owner', record(changed(5, ['step_failed', 2, 'forward', 7, 3]))],
    ['I7', 'a step event with an old fence', record(changed(6, ['step_undone', 2, 'rollback', 5, 4]))],
    [
      'I8',
      'a step event between hand-over and claim',
      record([...GOOD.slice(0, 4), ['step_completed', 2, 'forward', 7, 2], ...GOOD.slice(4)]),
    ],
    ['I9', 'a step completed twice', record([...GOOD.slice(0, 3), ['step_completed', 1], ...GOOD.slice(3)])],
    [
      'I10',
      'completed with a step missing',
      record(
        [
          ['accepted', 1, 'forward', null, 0],
          ['claimed', 1],
          ['completed', 1],
        ],
        { state: 'completed' },
      ),
    ],
    ['I11', 'an undo that was left out', record(without(6))],
    ['I12', 'two ends', record([...GOOD, ['failed', 1, 'rollback', 5, 3]])],
    ['I12', 'a row that ended without an event', record(GOOD.slice(0, 7))],
  ];
  it.each(seeded)('%s: finds %s', (invariant, _what, broken) => {
    expect(invariantsOf(broken)).toContain(invariant);
  });

  it('I6: finds what a session wrote after its end, also in another order', () => {
    const other = record([
      ['accepted', 1, 'forward', null, 0],
      ['claimed', 1, 'forward', 7, 1],
    ]);
    const late = {
      ...other,
      events: other.events.map((event) => ({ ...event, orderId: 'p', at: event.at + 3 })),
      order: { ...other.order, state: 'running' },
    } as OrderRecord;
    const found = findViolations([record(GOOD), late], { stepCountOf: () => 2, allEnded: false });
    expect(found).toMatchObject([{ invariant: 'I6', orderId: 'p' }]);
    const early = { ...late, events: other.events.map((event) => ({ ...event, orderId: 'p' })) };
    expect(findViolations([record(GOOD), early], { stepCountOf: () => 2, allEnded: false })).toEqual([]);
  });
});
