import { describe, expect, it } from 'vitest';
import type { Json } from '#domain/json.ts';
import type { Order, OrderEvent, OrderRecord } from '#domain/order.ts';
import type { EventKind } from '#domain/order-state.ts';
import type { ClusterReport, SessionReport } from '#engine/store.ts';
import { explainWaiting, type WaitingPlace } from './waiting.ts';

const NOW = 10_000;

function waiting(kind: EventKind, changes: Partial<Order> = {}, data: Json = null): OrderRecord {
  const order = {
    orderId: 'o',
    workflow: 'w',
    workflowVersion: 2,
    state: 'queued',
    direction: 'forward',
    step: 1,
    nextRunAt: 0,
    ...changes,
  };
  const event = { orderId: 'o', version: 1, kind, step: 1, direction: 'forward', sessionId: null, fence: 0, at: NOW - 5, data };
  return { order: order as Order, events: [event as OrderEvent], nodes: new Map() };
}

function nodes(...sessions: Partial<SessionReport>[]): ClusterReport {
  const row = { state: 'live', leaseMs: 3_000, slots: 2, busy: 0, lastBeatAt: NOW, workflows: [{ name: 'w', version: 2 }] };
  return { leader: undefined, sessions: sessions.map((session) => ({ ...row, ...session }) as SessionReport) };
}

const codeOf = (record: OrderRecord, report?: ClusterReport): string | undefined => explainWaiting(record, 'Pack', at(report))?.code;
const at = (report: ClusterReport | undefined, gateOpen = true): WaitingPlace => ({ nodes: report, gateOpen });

describe('why an order waits', () => {
  it('nothing where it runs or has ended', () => {
    for (const state of ['running', 'completed', 'failed', 'cancelled'] as const)
      expect(codeOf(waiting('claimed', { state }), nodes())).toBeUndefined();
  });

  it('what the nodes lack comes before what happened to it', () => {
    const record = waiting('handed_over');
    expect(codeOf(record, nodes())).toBe('no_node');
    expect(codeOf(record, nodes({ state: 'dead' }, { state: 'draining' }, { leaseMs: -1 }))).toBe('no_node');
    expect(codeOf(record, nodes({ workflows: [{ name: 'w', version: 1 }] }))).toBe('unknown_workflow_version');
    expect(codeOf(record, nodes({ busy: 2 }, { busy: 2 }))).toBe('no_free_slot');
    expect(codeOf(record, nodes({ busy: 2 }, { busy: 1 }))).toBe('handed_over');
    expect(codeOf(record)).toBe('handed_over');
    expect(explainWaiting(record, 'Pack', at(nodes({ busy: 2 }, { busy: 2 })))?.message).toBe('all 4 slots of 2 nodes are busy');
  });

  it('an order with a key waits for the gate, another does not', () => {
    const keyed = waiting('accepted', { keyed: true });
    expect(explainWaiting(keyed, 'Pack', at(nodes({}), false))?.code).toBe('gate');
    expect(explainWaiting(keyed, 'Pack', at(nodes({}), true))?.code).toBe('not_started');
    expect(explainWaiting(waiting('accepted', { keyed: false }), 'Pack', at(nodes({}), false))?.code).toBe('not_started');
  });

  it('a retry says when and why, until it is due', () => {
    const data = { retry: 1, retries: 3, error: { code: 'x', message: 'the bank is closed' } };
    const later = waiting('retry_scheduled', { nextRunAt: NOW + 1_000 }, data);
    expect(explainWaiting(later, 'Pack', at(nodes()))).toEqual({
      code: 'retry_at',
      message: 'Pack is tried again (retry 1 of 3) after: the bank is closed',
      until: new Date(NOW + 1_000).toISOString(),
    });
    const undo = waiting('retry_scheduled', { nextRunAt: NOW + 1_000, direction: 'rollback' }, data);
    expect(explainWaiting(undo, 'Pack', undefined)?.message).toMatch(/^the undo of Pack is tried again/);
    const due = waiting('retry_scheduled', { nextRunAt: NOW - 1 }, data);
    expect(codeOf(due, nodes({}))).toBe('retry_due');
    expect(codeOf(due, nodes({ busy: 2 }))).toBe('no_free_slot');
  });

  it('by what happened last, where a slot is free', () => {
    const byKind: [EventKind, string][] = [
      ['accepted', 'not_started'],
      ['handed_back', 'handed_back'],
      ['cancel_started', 'cancelling'],
      ['released', 'released'],
    ];
    for (const [kind, code] of byKind) expect(codeOf(waiting(kind), nodes({}))).toBe(code);
  });

  it('an order that stopped says for whom', () => {
    const stop = (error: Json): OrderRecord => waiting('attention_needed', { state: 'needs_attention' }, { error });
    expect(explainWaiting(stop({ code: 'quarantined', message: 'it kills' }), 'Pack', undefined)).toEqual({
      code: 'quarantined',
      message: 'it kills',
    });
    expect(explainWaiting(stop({ code: 'x', message: 'no' }), 'Pack', undefined)).toMatchObject({
      code: 'undo_failed',
      message: expect.stringContaining('the undo of Pack cannot succeed: no'),
    });
    expect(codeOf(waiting('released', { state: 'held' }))).toBe('held');
  });
});
