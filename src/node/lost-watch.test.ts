import { describe, expect, it } from 'vitest';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import { LostWatch } from './lost-watch.ts';

function watch(found: number[][] = []): { clock: ManualClock; watch: LostWatch; ended: number[][]; looks: () => number } {
  const clock = new ManualClock();
  const ended: number[][] = [];
  let looks = 0;
  const lostWatch = new LostWatch({
    clock,
    log: silentLog,
    look: async () => {
      looks += 1;
      return found.shift() ?? [];
    },
    end: async (sessions) => void ended.push(sessions),
  });
  return { clock, watch: lostWatch, ended, looks: () => looks };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('watching for lost locks', () => {
  it('I6: ends a session only after the grace, and asks once for each', async () => {
    const { clock, watch: lost, ended } = watch();
    lost.suspect([3, 4]);
    lost.suspect([4, 5]);
    clock.pass(199);
    expect(ended).toEqual([]);
    clock.pass(1);
    expect(ended).toEqual([[3, 4], [5]]);
    await settle();
    lost.suspect([3]);
    clock.pass(200);
    expect(ended.at(-1)).toEqual([3]);
  });

  it('looks between ticks, leaving out every fourth', async () => {
    const { clock, watch: lost, looks } = watch();
    for (let tick = 0; tick < 8; tick += 1) {
      lost.planLook(100);
      clock.pass(750);
    }
    expect(looks()).toBe(6);
  });

  it('ends what a look finds, and nothing any more once closed', async () => {
    const { clock, watch: lost, ended } = watch([[7], [8]]);
    lost.planLook(100);
    clock.pass(100);
    await settle();
    clock.pass(200);
    expect(ended).toEqual([[7]]);
    lost.planLook(100);
    clock.pass(100);
    await settle();
    lost.close();
    clock.pass(200);
    expect(ended).toEqual([[7]]);
  });
});
