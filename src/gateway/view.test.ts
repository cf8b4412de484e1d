import { describe, expect, it } from 'vitest';
import type { Json } from '#domain/json.ts';
import type { Order, OrderEvent, OrderRecord } from '#domain/order.ts';
import type { Direction, EventKind } from '#domain/order-state.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import { defineWorkflow, step } from '#engine/workflow.ts';
import { OrderPresenter } from './view.ts';

const workflow = defineWorkflow({ name: 'w', version: 1, steps: [step('One', { run: () => null }), step('Two', { run: () => null })] });
const presenter = new OrderPresenter(new WorkflowRegistry([workflow]));

type Line = [kind: EventKind, step: number, direction?: Direction, data?: Json];
const at = (second: number): string => new Date(second * 1_000).toISOString();

/** The event at index n happens at second n. */
function view(lines: Line[], changes: Partial<Order>): ReturnType<OrderPresenter['order']> {
  const events = lines.map(([kind, stepNumber, direction = 'forward', data = null], index): OrderEvent => {
    const sessionId = kind === 'accepted' ? null : 5;
    return { orderId: 'o', version: index + 1, kind, step: stepNumber, direction, sessionId, fence: 1, at: index * 1_000, data };
  });
  const row = {
    orderId: 'o',
    workflow: 'w',
    workflowVersion: 1,
    content: {},
    direction: 'forward',
    step: 1,
    ownerSession: null,
    acceptedAt: 0,
    endedAt: null,
    version: 1,
  };
  const nodes = new Map([[5, { nodeId: 'n5', nodeName: 'five' }]]);
  return presenter.order({ order: { ...row, ...changes } as Order, events, nodes } satisfies OrderRecord, 'HCM');
}

const BEGUN: Line[] = [
  ['accepted', 1],
  ['claimed', 1],
];

describe('the view of an order', () => {
  it('shows the end of one step and the begin of the next as one moment, and the terminal step last', () => {
    const shown = view([...BEGUN, ['step_completed', 1], ['completed', 2]], { state: 'completed', endedAt: 3_000 });
    expect(shown).toMatchObject({ status: 'completed', current_step: 'Completed', start_time: at(0), complete_time: at(3), quantity: 1 });
    expect(shown.steps).toEqual([
      { step_name: 'One', step_start_time: at(1), step_complete_time: at(2), attempt: 1, node_id: 'n5' },
      { step_name: 'Two', step_start_time: at(2), step_complete_time: at(3), attempt: 1, node_id: 'n5' },
      { step_name: 'Completed', step_start_time: at(3), step_complete_time: at(3) },
    ]);
  });

  it('shows a rollback on every step that ran, newest first, and no completion of the step that failed', () => {
    const error = { code: 'step_failure', message: 'no' };
    const lines: Line[] = [
      ...BEGUN,
      ['step_completed', 1],
      ['step_failed', 2, 'forward', { error }],
      ['step_undone', 2, 'rollback'],
      ['failed', 1, 'rollback'],
    ];
    const [one, two, terminal] = view(lines, { state: 'failed', endedAt: 5_000, direction: 'rollback' }).steps;
    expect(one).toMatchObject({ step_complete_time: at(2), rollback_time: at(5) });
    expect(two).toMatchObject({ rollback_time: at(4), error });
    expect(two).not.toHaveProperty('step_complete_time');
    expect(terminal).toMatchObject({ step_name: 'Failed' });
  });

  it('keeps one entry for a step that was interrupted: the times of its latest attempt', () => {
    const lines: Line[] = [...BEGUN, ['step_completed', 1], ['handed_over', 2], ['claimed', 2], ['completed', 2]];
    expect(view(lines, { state: 'completed', endedAt: 5_000 }).steps[1]).toMatchObject({
      step_start_time: at(4),
      step_complete_time: at(5),
      attempt: 2,
    });
  });

  it('does not show a step as begun that its leaving node handed back before it ran', () => {
    const lines: Line[] = [...BEGUN, ['step_completed', 1], ['handed_back', 2]];
    const shown = view(lines, { state: 'queued', step: 2 });
    expect(shown.steps.map(({ step_name }) => step_name)).toEqual(['One']);
    expect(shown).toMatchObject({ status: 'queued', current_step: 'Two', waiting_because: { code: 'handed_back' } });
    expect(view([...lines, ['claimed', 2], ['completed', 2]], { state: 'completed', endedAt: 5_000 }).steps[1]).toMatchObject({
      attempt: 1,
      step_start_time: at(4),
    });
  });

  it('says where a running order stands by its events, and who works it', () => {
    expect(view([...BEGUN, ['step_completed', 1]], { state: 'running', ownerSession: 5 })).toMatchObject({
      status: 'processing',
      current_step: 'Two',
      node_id: 'n5',
    });
    expect(view([...BEGUN, ['step_failed', 1]], { state: 'running', ownerSession: 5 })).toMatchObject({
      status: 'rolling_back',
      current_step: 'One',
    });
  });

  it('says why an order waits', () => {
    expect(view([['accepted', 1]], { state: 'queued' })).toMatchObject({
      waiting_because: { code: 'not_started' },
      current_step: 'One',
      steps: [],
    });
    const data = { error: { code: 'ECONNREFUSED', message: 'no answer' }, retry: 1, retries: 3, delay_ms: 60_000 };
    const shown = view([...BEGUN, ['retry_scheduled', 1, 'forward', data]], { state: 'queued', nextRunAt: 62_000 });
    expect(shown.waiting_because).toMatchObject({ code: 'retry_at', until: at(62), message: expect.stringContaining('retry 1 of 3') });
  });

  it('shows an order that was cancelled before it began with the terminal step alone', () => {
    expect(
      view(
        [
          ['accepted', 1],
          ['cancelled', 1],
        ],
        { state: 'cancelled', endedAt: 1_000 },
      ).steps,
    ).toEqual([{ step_name: 'Cancelled', step_start_time: at(1), step_complete_time: at(1) }]);
  });
});
