import { describe, expect, it } from 'vitest';
import { cellsOf, type SteppedOrder } from './step-cells.ts';
import { ORDER_STEPS } from './step-names.ts';

const AT = '2026-11-21T10:00:00.000Z';
const begun = (name: string) => ({ step_name: name, step_start_time: AT });
const done = (name: string) => ({ ...begun(name), step_complete_time: AT });
const statesOf = (order: SteppedOrder, names = ORDER_STEPS): string[] => cellsOf(order, names).map(({ state }) => state);

describe('cellsOf', () => {
  it('a fresh order waits at its first step', () => {
    expect(statesOf({ status: 'queued', current_step: 'Scheduling', steps: [] })).toEqual(['waiting', 'ahead', 'ahead', 'ahead']);
  });

  it('one that runs shows what is done, what runs and what is ahead', () => {
    const steps = [done('Scheduling'), begun('Pre-Processing')];
    expect(statesOf({ status: 'processing', current_step: 'Pre-Processing', steps })).toEqual(['done', 'running', 'ahead', 'ahead']);
  });

  it('one that failed shows where, and what was undone for it', () => {
    const error = { code: 'step_failure', message: 'no stock' };
    const steps = [
      { ...done('Scheduling'), rollback_time: AT },
      { ...begun('Pre-Processing'), error, rollback_time: AT },
      { step_name: 'Failed', step_start_time: AT, step_complete_time: AT },
    ];
    const cells = cellsOf({ status: 'failed', current_step: 'Failed', steps }, ORDER_STEPS);
    expect(cells.map(({ state }) => state)).toEqual(['undone', 'failed', 'ahead', 'ahead']);
    expect(cells[1]?.says).toBe('Pre-Processing: failed, no stock');
  });

  it('a message that names the failure of its step itself does not make it told twice', () => {
    const steps = [
      { ...begun('Scheduling'), error: { code: 'step_failure', message: 'Scheduling failed, as some do' }, rollback_time: AT },
    ];
    expect(cellsOf({ status: 'failed', current_step: 'Failed', steps }, ORDER_STEPS)[0]?.says).toBe('Scheduling: failed, as some do');
  });

  it('while it is rolled back the step that failed stays failed, the one being undone shows', () => {
    const error = { code: 'step_failure', message: 'no stock' };
    const steps = [done('Scheduling'), { ...begun('Pre-Processing'), error, rollback_time: AT }];
    expect(statesOf({ status: 'rolling_back', current_step: 'Scheduling', steps })).toEqual(['undoing', 'failed', 'ahead', 'ahead']);
  });

  it('one that stopped or is held says so', () => {
    expect(statesOf({ status: 'needs_attention', current_step: 'Scheduling', steps: [done('Scheduling')] })[0]).toBe('attention');
    expect(statesOf({ status: 'held', current_step: 'Scheduling', steps: [] })[0]).toBe('held');
  });

  it('without steps it tells what the present step tells', () => {
    expect(statesOf({ status: 'processing', current_step: 'Processing' })).toEqual(['done', 'done', 'running', 'ahead']);
    expect(statesOf({ status: 'completed', current_step: 'Completed' })).toEqual(['done', 'done', 'done', 'done']);
  });

  it('steps that nobody told it of are taken from the order', () => {
    expect(statesOf({ status: 'processing', current_step: 'Pack', steps: [done('Weigh'), begun('Pack')] }, [])).toEqual([
      'done',
      'running',
    ]);
  });
});
