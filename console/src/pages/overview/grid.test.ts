import { describe, expect, it } from 'vitest';
import { columnOf, holdPlaces, rowsOf, type SteppedSummary } from './grid.ts';

const AT = '2026-01-01T10:00:00.000Z';

function order(id: string, fields: Partial<SteppedSummary> = {}): SteppedSummary {
  return {
    ...{ order_id: id, status: 'processing', current_step: 'Scheduling', start_time: AT, warehouse: 'HCM' },
    ...{ workflow: 'order', workflow_version: 1, quantity: 1, steps: [{ step_name: 'Scheduling', step_start_time: AT }] },
    ...fields,
  };
}

describe('the grid of the last orders', () => {
  it('has the steps of the usual workflow in their order, then those that others name', () => {
    const other = order('b', { workflow: 'express', current_step: 'Pack', steps: [{ step_name: 'Pack', step_start_time: AT }] });
    expect(rowsOf([columnOf(other), columnOf(order('a'))])).toEqual([
      'Scheduling',
      'Pre-Processing',
      'Processing',
      'Post-Processing',
      'Pack',
    ]);
    expect(rowsOf([])).toEqual([]);
  });

  it('knows how an order stands at each step', () => {
    const { cells } = columnOf(order('a'));
    expect(cells.get('Scheduling')?.state).toBe('running');
    expect(cells.get('Processing')?.state).toBe('ahead');
    expect(cells.get('Pack')).toBeUndefined();
  });

  it('keeps the places of orders that are held, and their newest state', () => {
    const done = order('b', { status: 'completed' });
    const gone = order('a');
    expect(holdPlaces([order('b'), gone], [order('c'), done])).toEqual([done, gone]);
  });
});
