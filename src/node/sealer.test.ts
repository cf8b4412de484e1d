import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { Store } from '#engine/store.ts';
import { startSealing } from './sealer.ts';

/** A store that has so much to seal, and takes so long for each piece. */
function open({ behind = 0, tookMs = 20 }) {
  const clock = new ManualClock();
  const state = { behind, fault: undefined as Error | undefined };
  const warn = vi.fn();
  const sealRanges = vi.fn(async ({ most }: { most: number }) => {
    if (state.fault) throw state.fault;
    clock.pass(tookMs);
    const sealed = Math.min(most, state.behind);
    state.behind -= sealed;
    return sealed;
  });
  const follow = startSealing({ store: { retention: { sealRanges } } as unknown as Store, session: 1, clock, log: { ...silentLog, warn } });
  const callsAfter = async (ms: number, isLeader = true): Promise<number> => {
    clock.pass(ms);
    follow(isLeader);
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return sealRanges.mock.calls.length;
  };
  return { callsAfter, state, warn, clock };
}

describe('sealing', () => {
  it('is the leader’s, and looks every five seconds', async () => {
    const { callsAfter } = open({});
    expect([await callsAfter(0, false), await callsAfter(0), await callsAfter(4_999), await callsAfter(1)]).toEqual([0, 1, 1, 2]);
  });

  it('catches up in small pieces, with a pause as long as each', async () => {
    const { callsAfter, clock } = open({ behind: 33 });
    expect(await callsAfter(0)).toBe(1);
    expect(await callsAfter(19)).toBe(1);
    expect(await callsAfter(1)).toBe(2);
    expect(clock.monotonic()).toBeLessThan(100);
    expect([await callsAfter(4_900), await callsAfter(100)]).toEqual([2, 3]);
  });

  it('ends a long turn, and begins the next with the next tick', async () => {
    const { callsAfter } = open({ behind: 1_000, tookMs: 300 });
    expect([await callsAfter(0), await callsAfter(300), await callsAfter(0)]).toEqual([1, 1, 2]);
  });

  it('says what failed, and tries again in a minute', async () => {
    const { callsAfter, state, warn } = open({});
    state.fault = new Error('no such function');
    expect([await callsAfter(0), await callsAfter(59_999), await callsAfter(1)]).toEqual([1, 1, 2]);
    expect(warn).toHaveBeenCalledWith({ session: 1, error: 'no such function' }, expect.stringContaining('could not be sealed'));
  });
});
