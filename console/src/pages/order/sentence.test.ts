import { describe, expect, it } from 'vitest';
import { EVENT_KINDS, ORDER_STATUSES } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';
import { curlOf, refusalOf } from './allowed.ts';
import { tellEvent, titleOf } from './event-words.ts';
import { standingOf } from './sentence.ts';

const event = (kind: string, data?: unknown): EventJson => ({
  version: 1,
  kind,
  step_name: 'Processing',
  direction: 'forward',
  at: '2026-11-21T10:00:00.000Z',
  fence: 1,
  ...(data === undefined ? {} : { data }),
});
const ERROR = { error: { code: 'step_failure', message: 'no stock' } };

describe('standingOf', () => {
  it('says what a waiting order waits for, and until when', () => {
    const until = '2026-11-21T10:00:05.000Z';
    const waiting = { code: 'retry_at', message: 'Processing is tried again (retry 1 of 5) after: no route', until };
    expect(standingOf({ status: 'queued', current_step: 'Processing', waiting_because: waiting }, [], undefined)).toEqual({
      says: 'Waits to try Processing again.',
      because: waiting.message,
      until,
    });
    const fresh = { code: 'not_started', message: 'no slot has taken it yet' };
    expect(standingOf({ status: 'queued', current_step: 'Scheduling', waiting_because: fresh }, [], undefined).says).toBe(
      'Waits for a slot to begin Scheduling.',
    );
  });

  it('says why an order was undone', () => {
    const events = [event('claimed'), event('step_failed', ERROR), event('failed')];
    expect(standingOf({ status: 'failed', current_step: 'Failed' }, events, undefined)).toEqual({
      says: 'What it had done was undone.',
      because: 'Processing failed: no stock',
    });
    expect(standingOf({ status: 'rolling_back', current_step: 'Processing' }, events.slice(0, 2), undefined).says).toBe(
      'Undoes Processing.',
    );
  });

  it('says once that a step failed, also where its message begins so', () => {
    const failed = event('step_failed', { error: { code: 'step_failure', message: 'Processing failed, as one in 20 does' } });
    expect(standingOf({ status: 'failed', current_step: 'Failed' }, [event('claimed'), failed], undefined).because).toBe(
      'Processing failed, as one in 20 does',
    );
  });

  it('says who cancelled it', () => {
    const cancelled = event('cancelled', { actor: 'operator', reason: 'customer called' });
    expect(standingOf({ status: 'cancelled', current_step: 'Cancelled' }, [event('accepted'), cancelled], undefined)).toEqual({
      says: 'It had not begun.',
      because: 'cancelled by operator: customer called',
    });
    const begun = [event('claimed'), event('cancel_started', { actor: 'a' }), event('cancelled')];
    expect(standingOf({ status: 'cancelled', current_step: 'Cancelled' }, begun, undefined)).toEqual({
      says: 'What it had done was undone.',
      because: 'cancelled at Processing by a',
    });
  });

  it('has words for every status', () => {
    for (const status of ORDER_STATUSES)
      expect(standingOf({ status, current_step: 'Processing' }, [], undefined).says).toMatch(/^[A-Z].*\.$/);
  });
});

describe('what can be done', () => {
  const allowed = (action: 'cancel' | 'retry' | 'release'): string[] =>
    ORDER_STATUSES.filter((status) => refusalOf(action, { status }) === undefined);

  it('follows the state', () => {
    expect(allowed('cancel')).toEqual(['queued', 'processing']);
    expect(allowed('retry')).toEqual(['failed', 'cancelled']);
    expect(allowed('release')).toEqual(['needs_attention', 'held']);
  });

  it('what was retried is not retried again', () => {
    const retriedAs = '0199f3c2-8d00-7000-8000-00000000abcd';
    expect(refusalOf('retry', { status: 'failed', retriedAs })).toBe('It was retried: order 0199f3c2…abcd has the same content.');
  });

  it('an order that killed its processes can be cancelled', () => {
    const because = { code: 'quarantined', message: 'it killed the processes that worked it' };
    expect(refusalOf('cancel', { status: 'needs_attention', waiting_because: because })).toBeUndefined();
  });

  it('the command for a terminal names the variable of the token, not the token', () => {
    expect(curlOf('http://host:8080', 'id')).toBe(`curl -s -H "Authorization: Bearer $CONVEYOR_TOKEN" 'http://host:8080/orders/id'`);
  });
});

describe('events in words', () => {
  it('every kind has a title', () => {
    for (const kind of EVENT_KINDS) expect(titleOf(kind)).toMatch(/^[A-Z]/);
  });

  it('tells what the kind alone does not', () => {
    expect(tellEvent(event('retry_scheduled', { ...ERROR, retry: 1, retries: 5, delay_ms: 2_000 }))).toBe(
      'retry 1 of 5 in 2.0 s; no stock',
    );
    expect(tellEvent(event('step_failed', { ...ERROR, unknown: true }))).toBe('no stock; nobody knows whether it took effect');
    expect(tellEvent(event('step_completed', { result: { execution_price: '1234.5' } }))).toBe('execution price 1,234.50');
    expect(tellEvent(event('released', { actor: 'operator', reason: 'fixed' }))).toBe('by operator: fixed');
    expect(tellEvent(event('claimed'))).toBe('');
  });
});
