import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShownOrder } from '../orders.ts';
import { computeFigures, renderFigures } from './figures.ts';
import { pollDelayMs } from './follow.ts';
import { Tally } from './tally.ts';

const completed: ShownOrder = {
  order_id: 'o1',
  status: 'completed',
  start_time: '2026-01-01T00:00:00.000Z',
  complete_time: '2026-01-01T00:00:02.000Z',
  steps: [{ step_name: 'A', step_complete_time: '2026-01-01T00:00:02.000Z' }, { step_name: 'Completed' }],
};
const failed: ShownOrder = {
  ...completed,
  order_id: 'o2',
  status: 'failed',
  complete_time: '2026-01-01T00:00:04.000Z',
  steps: [{ step_name: 'A', rollback_time: '2026-01-01T00:00:03.000Z', error: { message: 'A failed' } }, { step_name: 'Failed' }],
};

function tallyOf(...orders: ShownOrder[]): Tally {
  const tally = new Tally();
  for (const order of orders) {
    tally.submitted += 1;
    tally.accepted += 1;
    tally.submitLatenciesMs.push(5);
    tally.end(order);
  }
  return tally;
}

const figuresOf = (tally: Tally, interrupted = false) => computeFigures({ tally, orders: 2, submitMs: 100, interrupted });

describe('the figures of a run', () => {
  it('count what was seen', () => {
    expect(figuresOf(tallyOf(completed, failed))).toMatchObject({
      accepted: 2,
      completed: 1,
      failed: 1,
      open: 0,
      share_failed: 0.5,
      submits_per_s: 20,
      orders_per_s: 0.5,
      end_to_end_ms: { p50: 2_000, p99: 4_000, max: 4_000 },
      failures: { 'A failed': 1 },
      success_rate: 0.5,
      by_region: { none: 2 },
      by_warehouse: { unknown: 2 },
      verdict: 'passed',
    });
  });

  it('are a failure as soon as an order is lost, a promise violated, or an order refused', () => {
    const lost = tallyOf(completed);
    lost.lost.push({ order_id: 'o9', reason: 'accepted, but unknown' });
    const refused = tallyOf(completed);
    refused.reject('HTTP 400');
    const violated = tallyOf({ ...failed, steps: [{ step_name: 'A', error: 'no' }, { step_name: 'Failed' }] });
    for (const tally of [lost, refused, violated]) expect(figuresOf(tally).verdict).toBe('failed');
    expect(renderFigures(figuresOf(lost))).toMatch(/o9 {2}accepted, but unknown/);
    expect(renderFigures(figuresOf(violated))).toMatch(/o2 {2}A has no rollback_time/);
  });

  it('say that a run was interrupted', () => {
    expect(figuresOf(tallyOf(completed), true).verdict).toBe('interrupted');
  });

  it('have no percentiles of nothing', () => {
    expect(figuresOf(new Tally())).toMatchObject({ submit_latency_ms: null, end_to_end_ms: null });
    expect(renderFigures(figuresOf(new Tally()))).toContain('nothing measured');
  });
});

describe('the pace of asking', () => {
  it('waits until others took nearly as long, and never asks faster than 20 times a second', () => {
    expect(pollDelayMs(0, 20_000)).toBe(18_000);
    expect(pollDelayMs(0, undefined)).toBe(50);
    expect(pollDelayMs(60_000, undefined)).toBe(2_000);
    const age = fc.nat();
    fc.assert(
      fc.property(age, fc.option(age, { nil: undefined }), (ageMs, expectedMs) => {
        expect(pollDelayMs(ageMs, expectedMs)).toBeGreaterThanOrEqual(50);
      }),
    );
  });
});
