import { describe, expect, it } from 'vitest';
import type { LiveEvent } from '../../../api/live.ts';
import { applyEvent, applyEvents, countNew, mayConcern, type OrderRow, refreshRows, rowsOf } from './order-row.ts';

const ROW: OrderRow = {
  order_id: 'b',
  status: 'queued',
  current_step: 'Scheduling',
  start_time: '2026-11-21T12:00:00.000Z',
  warehouse: 'HCM',
  workflow: 'order',
  quantity: 1,
  waiting_because: { code: 'not_started', message: 'no slot has taken it yet' },
};

const event = (kind: string, version: number, status: LiveEvent['status'], more: Partial<LiveEvent> = {}): LiveEvent => ({
  order_id: 'b',
  warehouse: 'HCM',
  version,
  kind,
  status,
  step_name: 'Scheduling',
  direction: 'forward',
  at: '2026-11-21T12:00:05.000Z',
  ...more,
});

const claimed = applyEvent(ROW, event('claimed', 2, 'processing', { node_id: 'n1' }));

describe('an event of an order', () => {
  it('its row says who works it, and no longer why it waits', () => {
    expect(claimed).toMatchObject({ status: 'processing', node_id: 'n1', version: 2 });
    expect(claimed).not.toHaveProperty('waiting_because');
  });

  it('goes on to the next step, back to the one before, and ends', () => {
    const on = applyEvent(claimed, event('step_completed', 3, 'processing'));
    expect(on).toMatchObject({ current_step: 'Pre-Processing', node_id: 'n1' });
    const failed = applyEvent(on, event('step_failed', 4, 'rolling_back', { step_name: 'Pre-Processing', direction: 'rollback' }));
    expect(failed).toMatchObject({ status: 'rolling_back', current_step: 'Pre-Processing' });
    const undone = applyEvent(failed, event('step_undone', 5, 'rolling_back', { step_name: 'Pre-Processing', direction: 'rollback' }));
    expect(undone).toMatchObject({ current_step: 'Scheduling', node_id: 'n1' });
    const ended = applyEvent(undone, event('failed', 6, 'failed', { direction: 'rollback' }));
    expect(ended).toMatchObject({ status: 'failed', current_step: 'Failed', complete_time: '2026-11-21T12:00:05.000Z' });
    expect(ended).not.toHaveProperty('node_id');
  });

  it('leaves its node when it is handed back', () => {
    expect(applyEvent(claimed, event('handed_back', 3, 'queued'))).not.toHaveProperty('node_id');
    expect(applyEvent(claimed, event('retry_scheduled', 3, 'rolling_back'))).not.toHaveProperty('node_id');
  });

  it('does not turn time back', () => {
    expect(applyEvent(claimed, event('claimed', 2, 'processing'))).toBe(claimed);
    expect(applyEvent(claimed, event('accepted', 1, 'queued'))).toBe(claimed);
    const ended = { ...ROW, status: 'completed' as const };
    expect(applyEvent(ended, event('step_completed', 9, 'processing'))).toBe(ended);
  });

  it('of a workflow that is not known here leaves the step to the next reading', () => {
    const row = { ...claimed, workflow: 'parcels', current_step: 'Weighing' };
    expect(applyEvent(row, event('step_completed', 3, 'processing', { step_name: 'Weighing' })).current_step).toBe('Weighing');
  });

  it('of a kind that is not known changes nothing', () => {
    expect(applyEvent(claimed, event('polished', 3, 'processing'))).toBe(claimed);
  });
});

describe('rows', () => {
  const rows: readonly OrderRow[] = [{ ...ROW, order_id: 'c' }, ROW, { ...ROW, order_id: 'a' }];

  it('stay the same array where nothing happened', () => {
    expect(applyEvents(rows, new Map([['z', [event('claimed', 2, 'processing')]]]))).toBe(rows);
    expect(refreshRows(rows, [{ ...ROW, order_id: 'z' }])).toBe(rows);
  });

  it('take their events in order, in place', () => {
    const events = [event('claimed', 2, 'processing'), event('step_completed', 3, 'processing')];
    const after = applyEvents(rows, new Map([['b', events]]));
    expect(after.map(({ current_step: step }) => step)).toEqual(['Scheduling', 'Pre-Processing', 'Scheduling']);
    expect(after[0]).toBe(rows[0]);
  });

  it('are read again without moving', () => {
    const after = refreshRows(rows, [
      { ...ROW, order_id: 'd' },
      { ...ROW, status: 'completed' },
    ]);
    expect(after.map(({ order_id: id, status }) => `${id} ${status}`)).toEqual(['c queued', 'b completed', 'a queued']);
  });

  it('know how many orders are new among or above them', () => {
    const newest = ['e', 'd', 'bb', 'b', 'Z'].map((id) => ({ ...ROW, order_id: id }));
    expect(countNew(rows, newest, true)).toBe(3);
    expect(countNew([], newest, false)).toBe(5);
  });

  it('keep nothing that is not shown', () => {
    const order = { ...ROW, workflow_version: 1, detail: 'x'.repeat(60_000), metadata: {} };
    expect(rowsOf({ orders: [order] })).toEqual([ROW]);
  });
});

describe('what concerns a search', () => {
  const of = event('claimed', 2, 'processing', { order_id: '0199f3c2-8d00-7000-8000-000000000000', region: 'HN', customer_name: 'An' });

  it('is whatever may match it', () => {
    expect(mayConcern({}, of)).toBe(true);
    expect(mayConcern({ id: '0199f3c28d', region: 'HN', status: 'failed', symbol: 'abc' }, of)).toBe(true);
  });

  it('is nothing of another warehouse, region, customer or id', () => {
    for (const query of [{ warehouse: 'HN' }, { region: 'HCM' }, { customer: 'Bình' }, { id: '0199f3c3' }])
      expect(mayConcern(query, of)).toBe(false);
  });
});
