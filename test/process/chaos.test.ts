import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBenchDatabase } from '#test/bench-database.ts';
import { runLeaderChaos } from '../../bench/chaos/leader.ts';
import { runRandomChaos } from '../../bench/chaos/random.ts';
import { runRollingRestart } from '../../bench/chaos/restart.ts';
import type { BenchDatabase } from '../../bench/support/server.ts';

/** Short runs of what `npm run chaos` does at length. A seed that found something goes into CONVEYOR_CHAOS_SEED. */
const seed = Number(process.env['CONVEYOR_CHAOS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('nodes that are killed, paused, cut off, drained and restarted', () => {
  let database: BenchDatabase;
  beforeEach(async () => {
    database = await openBenchDatabase();
  });
  afterEach(() => database.close());

  it(`I1–I12: random rounds break no invariant (CONVEYOR_CHAOS_SEED=${seed})`, async () => {
    const { verdict, actions } = await runRandomChaos(database, { rounds: 24, orders: 600, nodes: 4, seed, paceMs: 800 });
    expect({ violations: verdict.violations, orders: verdict.orders, seed, actions }).toEqual({
      violations: [],
      orders: 600,
      seed,
      actions,
    });
    // Whatever the seed chose: a run in which nothing was handed over has tested nothing.
    expect(verdict.handedOver + verdict.handedBack).toBeGreaterThan(0);
  });

  it('I1 I12: the leader is killed three times under load: another leads each time, nothing is lost', async () => {
    const { verdict } = await runLeaderChaos(database, { kills: 3, nodes: 3, ordersPerKill: 30 });
    expect(verdict.violations).toEqual([]);
    expect(verdict.orders).toBe(90);
    expect(verdict.leaderTerms).toBeGreaterThanOrEqual(4);
  });

  it('I9: a rolling restart in good order runs no step twice', async () => {
    const { verdict, stepsRunTwice, exitCodes } = await runRollingRestart(database, { nodes: 2, stepMs: 200, ordersPerSecond: 30 });
    expect({ violations: verdict.violations, stepsRunTwice, exitCodes }).toEqual({ violations: [], stepsRunTwice: 0, exitCodes: [0, 0] });
    expect(verdict.handedBack).toBeGreaterThan(0);
  });
});
