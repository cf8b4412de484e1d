import { describe, expect, it } from 'vitest';
import { describeLines, formatAxisMoments } from './chart-words.ts';

const line = (name: string, values: number[]) => ({ name, values, colour: '--x', status: undefined });

describe('a chart in words', () => {
  it('says latest, average and most of every line', () => {
    expect(describeLines('In and out', 'the last hour', [line('Accepted', [1, 3, 2]), line('Completed', [])])).toBe(
      'In and out per second, the last hour. Accepted: latest 2.0, average 2.0, most 3.0. Completed: nothing yet.',
    );
  });

  it('writes days where marks are days apart, seconds where they are close', () => {
    const at = [Date.UTC(2026, 0, 1, 12) / 1_000];
    expect(formatAxisMoments(at, 86_400)[0]).toMatch(/Thu|1/);
    expect(formatAxisMoments(at, 86_400)[0]).not.toMatch(':');
    expect(formatAxisMoments(at, 300)[0]).toMatch(/^\d\d:\d\d$/);
    expect(formatAxisMoments(at, 30)[0]).toMatch(/^\d\d:\d\d:\d\d$/);
  });
});
