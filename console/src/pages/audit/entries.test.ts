import { describe, expect, it } from 'vitest';
import { type AuditEntry, hasWords, madeOrder, targetOf, tellDeed } from './entries.ts';

const ID = '01a1ff44-0000-7000-8000-000000000001';
const entry = (fields: Partial<AuditEntry>): AuditEntry => ({
  ...{ id: ID, at: '2026-01-01T00:00:00.000Z', actor: 'An', action: 'order.cancel', target: ID, warehouse: 'HN' },
  ...fields,
});

describe('an entry of the audit', () => {
  it('says what was done; what is new here stands as it is', () => {
    expect(tellDeed('node.drain')).toBe('let the node take nothing new');
    expect(tellDeed('moon.land')).toBe('moon.land');
  });

  it.each([
    [
      { action: 'order.release', target: ID },
      { kind: 'order', id: ID },
    ],
    [
      { action: 'node.stop', target: ID },
      { kind: 'node', id: ID },
    ],
    [
      { action: 'bulk.cancel', target: ID },
      { kind: 'text', text: ID },
    ],
    [
      { action: 'order.cancel', target: 'no id' },
      { kind: 'text', text: 'no id' },
    ],
    [
      { action: 'warehouse.disable', target: 'HN' },
      { kind: 'cluster', text: 'HN' },
    ],
    [
      { action: 'conflict.resolve', target: ID },
      { kind: 'cluster', text: ID },
    ],
    [
      { action: 'generator.start', target: '2s' },
      { kind: 'generator', text: 'every 2s' },
    ],
    [
      { action: 'generator.stop', target: 'generator' },
      { kind: 'generator', text: '' },
    ],
    [
      { action: 'token.create', target: 'shop' },
      { kind: 'text', text: 'shop' },
    ],
  ])('leads to what it is about: %o', (about, expected) => {
    expect(targetOf(about)).toEqual(expected);
  });

  it('names the order that a retry made', () => {
    expect(madeOrder({ action: 'order.retry', detail: { order_id: ID } })).toBe(ID);
    expect(madeOrder({ action: 'order.retry', detail: { order_id: 7 } })).toBeUndefined();
    expect(madeOrder({ action: 'order.retry' })).toBeUndefined();
    expect(madeOrder({ action: 'bulk.retry', detail: { order_id: ID } })).toBeUndefined();
  });

  it('is found by words in any of its parts, in any order', () => {
    const drained = entry({ action: 'node.drain', reason: 'new disk', detail: { pace: 50 } });
    for (const words of ['', 'an', 'NODE.drain', 'disk new', 'nothing hn', 'pace']) expect(hasWords(drained, words)).toBe(true);
    for (const words of ['dn', 'disk old']) expect(hasWords(drained, words)).toBe(false);
  });
});
