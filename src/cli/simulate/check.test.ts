import { describe, expect, it } from 'vitest';
import type { ShownOrder, ShownStep } from '../orders.ts';
import { findViolations } from './check.ts';

const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`;
const done = (step_name: string, rollback?: number): ShownStep => ({
  step_name,
  step_start_time: at(1),
  step_complete_time: at(2),
  ...(rollback === undefined ? {} : { rollback_time: at(rollback) }),
});
const broken = (step_name: string, rollback?: number): ShownStep => ({
  step_name,
  step_start_time: at(1),
  error: { message: 'no' },
  ...(rollback === undefined ? {} : { rollback_time: at(rollback) }),
});
const order = (status: string, ...steps: ShownStep[]): ShownOrder => ({
  order_id: 'o',
  status,
  start_time: at(0),
  complete_time: at(9),
  steps,
});

describe('a sound order', () => {
  it.each([
    ['completed', order('completed', done('A'), done('B'), done('Completed'))],
    ['failed and rolled back newest first', order('failed', done('A', 6), broken('B', 5), done('Failed'))],
    ['failed and rolled back within one millisecond', order('failed', done('A', 5), broken('B', 5), done('Failed'))],
    ['failed at its first step', order('failed', broken('A', 5), done('Failed'))],
    ['cancelled before it began', order('cancelled', done('Cancelled'))],
    ['cancelled under way', order('cancelled', done('A', 6), broken('B', 5), done('Cancelled'))],
    ['not ended yet', order('processing', done('A'))],
  ])('violates nothing: %s', (_, sound) => {
    expect(findViolations(sound)).toEqual([]);
  });
});

describe('a violation is found', () => {
  it.each([
    ['no terminal step', order('failed', broken('A', 5)), 'its last step is A, though it is failed'],
    ['the wrong terminal step', order('completed', done('A'), done('Failed')), 'its last step is Failed, though it is completed'],
    ['no steps at all', order('completed'), 'its last step is missing, though it is completed'],
    ['a failed step without rollback', order('failed', done('A', 6), broken('B'), done('Failed')), 'B has no rollback_time'],
    ['an earlier step without rollback', order('failed', done('A'), broken('B', 5), done('Failed')), 'A has no rollback_time'],
    ['rollback oldest first', order('failed', done('A', 4), broken('B', 5), done('Failed')), 'A was rolled back before B'],
    ['a failure nobody had', order('failed', done('A', 5), done('Failed')), 'it failed, but no step did'],
    ['an unfinished step of a completed order', order('completed', broken('A'), done('Completed')), 'A has no step_complete_time'],
    ['a completed order undone', order('completed', done('A', 5), done('Completed')), 'A was rolled back, though it completed'],
    ['cancelled without rollback', order('cancelled', done('A'), done('Cancelled')), 'A has no rollback_time'],
  ])('%s', (_, faulty, violation) => {
    expect(findViolations(faulty)).toContain(violation);
  });
});
