import { describe, expect, it } from 'vitest';
import type { OrderRecord } from '#domain/order.ts';
import type { OrderCriteriaJson } from '../api.ts';
import { batchSizeOf, bulkFilterOf, paceOf, reasonOf, sharesOf, stillMatches } from './plan.ts';

describe('what an operation is about', () => {
  it('is every order that the action is possible in, unless a status is named', () => {
    expect(bulkFilterOf('cancel', { region: 'HN' })).toEqual({ region: 'HN', statuses: ['queued', 'processing', 'needs_attention'] });
    expect(bulkFilterOf('retry', { region: 'HN' })).toEqual({ region: 'HN', statuses: ['failed', 'cancelled'] });
    expect(bulkFilterOf('retry', { status: 'failed' })).toEqual({ statuses: ['failed'] });
  });

  it.each<['cancel' | 'retry', OrderCriteriaJson, string, string]>([
    ['cancel', {}, '/filter', 'at least one criterion'],
    ['cancel', { status: 'completed' }, '/filter/status', 'must be queued or processing or needs_attention'],
    ['cancel', { status: 'rolling_back' }, '/filter/status', 'it is rolling_back'],
    ['retry', { status: 'queued' }, '/filter/status', 'must be failed or cancelled'],
    ['retry', { step: 'Processing' }, '/filter/step', 'open orders'],
    ['retry', { node: 'x' }, '/filter/node', 'open orders'],
    ['cancel', { node: 'x' }, '/filter/node', 'must be a UUID'],
    ['cancel', { id: 'xyz' }, '/filter/id', 'hexadecimal'],
    ['cancel', { since: 'yesterday' }, '/filter/since', 'no time'],
    ['cancel', { region: 'a\u0000b' }, '/filter/region', 'U+0000'],
  ])('%s of %j is refused', (action, criteria, field, reason) => {
    expect(() => bulkFilterOf(action, criteria)).toThrow(
      expect.objectContaining({ code: 'invalid-request', faults: [{ field, reason: expect.stringContaining(reason) }] }),
    );
  });
});

describe('its pace', () => {
  it('is spread as the orders are, and adds up', () => {
    expect(sharesOf([300, 100])).toEqual([0.75, 0.25]);
    expect(sharesOf([0, 0])).toEqual([0.5, 0.5]);
    expect(sharesOf([7])).toEqual([1]);
    const shares = sharesOf([10_000, 3, 0]);
    expect(shares.reduce((sum, share) => sum + share)).toBeCloseTo(1);
    expect(Math.min(...shares)).toBeGreaterThan(0);
  });

  it('is written down after half a second, an order at least', () => {
    expect(paceOf({ pace: 50, share: 0.5 })).toBe(25);
    expect([0.01, 1, 3, 50, 1_000].map(batchSizeOf)).toEqual([1, 1, 1, 25, 500]);
  });
});

it('a history says which operation it was', () => {
  expect(reasonOf({ bulkId: 'B', reason: 'the bank is down' })).toBe('the bank is down (bulk B)');
  expect(reasonOf({ bulkId: 'B', reason: undefined })).toBe('bulk B');
});

describe('an order that was found a moment ago', () => {
  const nameOfStep = (step: number): string => `Step ${step}`;
  const record = (order: object, events: object[] = []): OrderRecord =>
    ({
      order: { state: 'queued', direction: 'forward', step: 2, version: 1, ownerSession: null, ...order },
      events,
      nodes: new Map([[7, { nodeId: 'N', nodeName: 'n' }]]),
    }) as unknown as OrderRecord;

  it.each([
    ['waits as it did', record({}), { statuses: ['queued'], step: 'Step 2' }, true],
    ['has gone on to the next step', record({ step: 3 }), { statuses: ['queued'], step: 'Step 2' }, false],
    ['runs by now', record({ state: 'running', ownerSession: 7 }), { statuses: ['queued'] }, false],
    ['is worked by that node', record({ state: 'running', ownerSession: 7 }), { nodeId: 'N' }, true],
    ['is worked by another', record({ state: 'running', ownerSession: 8 }), { nodeId: 'N' }, false],
    ['is being undone by now', record({ direction: 'rollback' }), { statuses: ['queued', 'processing'] }, false],
    ['has ended', record({ state: 'cancelled' }), { statuses: ['queued', 'processing'] }, false],
    [
      'runs and has gone on since it was claimed',
      record({ state: 'running', ownerSession: 7 }, [{ version: 2, kind: 'step_completed', step: 2, direction: 'forward' }]),
      { step: 'Step 3' },
      true,
    ],
  ] as const)('that %s', (_what, found, filter, matches) => {
    expect(stillMatches(found, filter, nameOfStep)).toBe(matches);
  });
});
