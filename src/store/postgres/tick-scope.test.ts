import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '#engine/manual-clock.ts';
import { TickScopes } from './tick-scope.ts';

const FIRST = '00000000-0000-0000-0000-000000000000';
const orders = (...ids: string[]): { orderId: string }[] => ids.map((orderId) => ({ orderId }));

describe('how far back a tick looks', () => {
  it('first at everything, then from the oldest order that was found', () => {
    const scopes = new TickScopes(new ManualClock());
    expect(scopes.begin(1)).toBe(FIRST);
    scopes.end(1, 'c');
    expect(scopes.begin(1)).toBe('c');
    expect(scopes.begin(2)).toBe(FIRST);
    scopes.forget(1);
    expect(scopes.begin(1)).toBe(FIRST);
  });

  it('further back when something older came into its hands, also while the tick was under way', () => {
    const scopes = new TickScopes(new ManualClock());
    scopes.begin(1);
    scopes.end(1, 'm');
    scopes.noteOwned(1, orders('p', 'd', 'x'));
    expect(scopes.begin(1)).toBe('d');
    scopes.noteOwned(1, orders('b'));
    scopes.end(1, 'd');
    expect(scopes.begin(1)).toBe('b');
  });

  it('where nothing was found, or no answer came, as far as before', () => {
    const scopes = new TickScopes(new ManualClock());
    scopes.begin(1);
    scopes.end(1, 'm');
    scopes.noteOwned(1, orders('d'));
    scopes.begin(1);
    expect(scopes.begin(1)).toBe('d');
    scopes.end(1, null);
    expect(scopes.begin(1)).toBe('d');
  });
});

describe('the look at everything', () => {
  it('comes every ten seconds, one at a time, and the rarer the longer it takes; a fault changes nothing', async () => {
    const clock = new ManualClock();
    const scopes = new TickScopes(clock);
    let tookMs = 50;
    const look = vi.fn(async () => clock.pass(tookMs));
    const looksAfter = async (ms: number): Promise<number> => {
      clock.pass(ms);
      await scopes.lookWhenDue(look).catch(() => undefined);
      return look.mock.calls.length;
    };
    expect([await looksAfter(0), await looksAfter(9_999), await looksAfter(1)]).toEqual([1, 1, 2]);
    tookMs = 1_000;
    expect([await looksAfter(10_000), await looksAfter(99_999), await looksAfter(1)]).toEqual([3, 3, 4]);
    look.mockRejectedValueOnce(new Error('away'));
    expect([await looksAfter(100_000), await looksAfter(9_999), await looksAfter(1)]).toEqual([5, 5, 6]);
  });
});
