import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '#engine/manual-clock.ts';
import type { ClaimedOrder } from '#engine/store.ts';
import { ClaimLoop } from './claim-loop.ts';

/** A loop over this many waiting orders and free slots. */
function open(waiting: number, slots: number) {
  const clock = new ManualClock();
  const state = { waiting, slots, left: 0, claimMs: 0, leavingPerClaim: 0, limits: [] as number[], failures: 0 };
  const onLostAnswer = vi.fn();
  const onQuiet = vi.fn();
  const loop = new ClaimLoop({
    clock,
    room: (ahead) => Math.max(0, state.slots + ahead),
    left: () => state.left,
    maxAhead: 10,
    claim: async (limit) => {
      state.limits.push(limit);
      clock.pass(state.claimMs);
      state.left += state.leavingPerClaim;
      state.slots += state.leavingPerClaim;
      if (state.failures > 0) {
        state.failures -= 1;
        throw new Error('no answer');
      }
      const taken = Math.min(limit, state.waiting);
      state.waiting -= taken;
      return Array.from({ length: taken }, () => ({}) as ClaimedOrder);
    },
    start: () => {
      state.slots -= 1;
    },
    onLostAnswer,
    onQuiet,
  });
  return { loop, state, clock, onLostAnswer, onQuiet };
}

/** Lets everything go on that can without time passing. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('the claim loop', () => {
  it('asks for nothing until it is told that there is work', async () => {
    const { loop, state } = open(10, 5);
    loop.slotFreed();
    await settle();
    expect(state.limits).toEqual([]);
  });

  it('says when it waits to be told: not while its slots are full', async () => {
    const { loop, state, onQuiet } = open(10, 5);
    loop.wake();
    await settle();
    expect(onQuiet).not.toHaveBeenCalled();
    state.slots = 6;
    loop.slotFreed();
    await settle();
    expect(state).toMatchObject({ waiting: 0, slots: 1 });
    expect(onQuiet).toHaveBeenCalledTimes(1);
  });

  it('fills its free slots, and goes on when one becomes free', async () => {
    const { loop, state } = open(10, 5);
    loop.wake();
    await settle();
    expect(state).toMatchObject({ waiting: 5, slots: 0 });
    state.slots = 2;
    loop.slotFreed();
    await settle();
    expect(state).toMatchObject({ waiting: 3, slots: 0 });
  });

  it('is quiet after a claim that was not full, until the next hint', async () => {
    const { loop, state } = open(2, 5);
    loop.wake();
    await settle();
    const asked = state.limits.length;
    loop.slotFreed();
    await settle();
    expect([state.waiting, state.limits.length]).toEqual([0, asked]);
    state.waiting = 1;
    loop.wake();
    await settle();
    expect(state).toMatchObject({ waiting: 0, slots: 2 });
  });

  it('many hints at once make one claim', async () => {
    const { loop, state } = open(2, 5);
    for (let hint = 0; hint < 20; hint += 1) loop.wake();
    await settle();
    expect(state.limits).toEqual([5]);
  });

  it('a lost answer is told and the claim comes again after a pause', async () => {
    const { loop, state, clock, onLostAnswer } = open(3, 5);
    state.failures = 1;
    loop.wake();
    await settle();
    expect(onLostAnswer).toHaveBeenCalledTimes(1);
    expect(state.limits).toHaveLength(1);
    clock.pass(300);
    await settle();
    expect(state).toMatchObject({ waiting: 0, slots: 2 });
  });

  it('claims ahead as many as leave in a few claim times, none once a claim was not full', async () => {
    const { loop, state, clock } = open(1_000, 5);
    state.claimMs = 10;
    state.leavingPerClaim = 2;
    loop.wake();
    for (let turn = 0; turn < 6; turn += 1) {
      loop.slotFreed();
      await settle();
      clock.pass(0);
    }
    const ahead = Math.max(...state.limits) - 5;
    expect(ahead).toBeGreaterThan(0);
    expect(ahead).toBeLessThanOrEqual(10);
    Object.assign(state, { waiting: 0, slots: 1, leavingPerClaim: 0 });
    loop.slotFreed();
    await settle();
    const asked = state.limits.length;
    state.waiting = 1_000;
    loop.wake();
    await settle();
    expect(state.limits[asked]).toBe(1);
  });

  it('takes nothing once stopped', async () => {
    const { loop, state } = open(3, 5);
    loop.wake();
    loop.stop();
    loop.wake();
    await settle();
    expect(state.limits).toEqual([]);
  });
});
