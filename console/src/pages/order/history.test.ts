import { describe, expect, it } from 'vitest';
import type { EventJson } from '#gateway/api.ts';
import { isOver, lacksNode, mergeEvents } from './history.ts';

const event = (version: number, changes: Partial<EventJson> = {}): EventJson => ({
  version,
  kind: 'claimed',
  direction: 'forward',
  at: '2026-11-21T10:00:00.000Z',
  fence: 1,
  ...changes,
});

describe('mergeEvents', () => {
  it('keeps each version once, oldest first, whichever look came first', () => {
    const merged = mergeEvents([event(1), event(3)], [event(2), event(3)]);
    expect(merged.map(({ version }) => version)).toEqual([1, 2, 3]);
  });

  it('keeps the name of the node that one of the looks knew', () => {
    const known = event(2, { session: 7, node_id: 'n' });
    const unknown = event(2, { session: 7 });
    expect(mergeEvents([known], [unknown])).toEqual([known]);
    expect(mergeEvents([unknown], [known])).toEqual([known]);
    expect([known, unknown, event(1)].map(lacksNode)).toEqual([false, true, false]);
  });
});

describe('isOver', () => {
  it('is so after the end of an order, not while a person has to look', () => {
    expect(isOver([event(1), event(2, { kind: 'failed' })])).toBe(true);
    expect(isOver([event(1), event(2, { kind: 'attention_needed' })])).toBe(false);
    expect(isOver([])).toBe(false);
  });
});
