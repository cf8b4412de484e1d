import { describe, expect, it } from 'vitest';
import { describeSegment, formatOffset, lookOf, whatOf } from './segment-words.ts';
import type { Shown } from './timeline.ts';

const segment = (changes: Partial<Shown>): Shown => ({
  step: 'Processing',
  kind: 'running',
  direction: 'forward',
  from: 4_000,
  to: 6_500,
  end: 'done',
  since: 'claimed',
  version: 2,
  ...changes,
});

describe('segments in words', () => {
  it('work that was for nothing looks different from work that was done or goes on', () => {
    expect((['done', 'open', 'failed', 'interrupted'] as const).map((end) => lookOf(segment({ end })))).toEqual([
      'running',
      'running',
      'failed',
      'interrupted',
    ]);
    expect(lookOf(segment({ kind: 'undoing', end: 'failed' }))).toBe('undoing');
  });

  it('what goes on is told as the present', () => {
    expect(whatOf(segment({ end: 'open' }))).toBe('is being worked');
    expect(whatOf(segment({ kind: 'backoff', end: 'open' }))).toBe('waits for a retry');
    expect(whatOf(segment({ kind: 'backoff' }))).toBe('waited for a retry');
    expect(whatOf(segment({ kind: 'undoing', end: 'failed' }))).toBe('undo failed');
  });

  it('one line says all that the drawing shows', () => {
    expect(describeSegment(segment({ end: 'failed', attempt: 2, error: 'no route' }), 1_000)).toBe(
      'Processing: failed attempt, attempt 2, for 2.5 s from 3.0 s on, no route',
    );
  });

  it('moments within a minute are exact', () => {
    expect([0, 2_063, 59_999, 90_000].map(formatOffset)).toEqual(['0.000 s', '2.063 s', '59.999 s', '1 min 30 s']);
  });
});
