import { describe, expect, it } from 'vitest';
import { jittered, sleep, systemClock } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

describe('sleep', () => {
  it('ends after its time and not before', async () => {
    const clock = new ManualClock();
    let ended = false;
    const slept = sleep(clock, 100).then(() => {
      ended = true;
    });
    clock.pass(99);
    await Promise.resolve();
    expect(ended).toBe(false);
    clock.pass(1);
    await slept;
    expect(clock.monotonic()).toBe(100);
  });

  it('ends at once when it is aborted, with the reason, and leaves no timer', async () => {
    const clock = new ManualClock();
    const stop = new AbortController();
    const slept = sleep(clock, 100, stop.signal);
    stop.abort(new Error('enough'));
    await expect(slept).rejects.toThrow('enough');
    await expect(sleep(clock, 100, stop.signal)).rejects.toThrow('enough');
    expect(clock.waitingCount).toBe(0);
  });
});

describe('chance and time', () => {
  it('jitter stays between half and one and a half', () => {
    const clock = new ManualClock();
    const delays = Array.from({ length: 200 }, () => jittered(clock, 1_000));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...delays)).toBeLessThan(1_500);
    expect(new Set(delays).size).toBeGreaterThan(190);
  });

  it('the system gives eight fresh bytes each time, over many draws', () => {
    const drawn = Array.from({ length: 2_000 }, () => Buffer.from(systemClock.entropy()).toString('hex'));
    expect(new Set(drawn).size).toBe(2_000);
    expect(drawn.every((hex) => hex.length === 16)).toBe(true);
  });

  it('a manual clock calls back in order of time, each at its moment', () => {
    const clock = new ManualClock(1_000);
    const called: [string, number][] = [];
    const note = (name: string) => () => void called.push([name, clock.now()]);
    clock.after(20, note('late'));
    clock.after(10, () => {
      note('early')();
      clock.after(5, note('set meanwhile'));
    });
    clock.after(15, note('cancelled')).cancel();
    clock.pass(30);
    expect(called).toEqual([
      ['early', 1_010],
      ['set meanwhile', 1_015],
      ['late', 1_020],
    ]);
    expect(clock.now()).toBe(1_030);
  });
});
