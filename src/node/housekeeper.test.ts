import { describe, expect, it, vi } from 'vitest';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { HouseReport } from '#engine/retention-store.ts';
import type { Store } from '#engine/store.ts';
import { Housekeeper } from './housekeeper.ts';

const QUIET: HouseReport = { made: [], dropped: [], keptBecause: undefined, deletedRows: 0, hasMore: false };
const MINUTE_MS = 60_000;

function open(...answers: (Partial<HouseReport> | Error)[]) {
  const clock = new ManualClock();
  const warn = vi.fn();
  const keepHouse = vi.fn(async () => {
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return { ...QUIET, ...answer };
  });
  const store = { retention: { keepHouse } } as unknown as Store;
  const keeper = new Housekeeper({ store, session: 1, clock, log: { ...silentLog, warn }, retentionMs: 5 });
  const callsAfter = async (ms: number, isLeader = true): Promise<number> => {
    clock.pass(ms);
    keeper.follow(isLeader);
    await new Promise((resolve) => setImmediate(resolve));
    return keepHouse.mock.calls.length;
  };
  return { callsAfter, warn, keepHouse };
}

describe('the housekeeper', () => {
  it('keeps the house at once where its node leads, and then every ten minutes', async () => {
    const { callsAfter, keepHouse } = open();
    expect([await callsAfter(0, false), await callsAfter(0), await callsAfter(9 * MINUTE_MS), await callsAfter(MINUTE_MS)]).toEqual([
      0, 1, 1, 2,
    ]);
    expect(keepHouse).toHaveBeenCalledWith({ keepMs: 5 });
  });

  it('goes on soon while there is more to do', async () => {
    const { callsAfter } = open({ hasMore: true, dropped: ['first'] });
    expect([await callsAfter(0), await callsAfter(1_000), await callsAfter(1_000)]).toEqual([1, 2, 2]);
  });

  it('says what failed and tries again in a minute', async () => {
    const { callsAfter, warn } = open(new Error('no lock'));
    expect([await callsAfter(0), await callsAfter(30_000), await callsAfter(30_000)]).toEqual([1, 1, 2]);
    expect(warn).toHaveBeenCalledWith(expect.objectContaining({ error: 'no lock' }), expect.any(String));
  });

  it('says once why orders are kept that are past their time', async () => {
    const kept = { keptBecause: 'open orders' };
    const { callsAfter, warn } = open(kept, kept, {}, kept);
    for (let turn = 0; turn < 4; turn += 1) await callsAfter(10 * MINUTE_MS);
    expect(warn).toHaveBeenCalledTimes(2);
  });
});
