import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openBenchDatabase } from '#test/bench-database.ts';
import { runLeaderChaos } from '../../bench/chaos/leader.ts';
import { planChaos } from '../../bench/chaos/plan.ts';
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
    const { verdict, stepsRunTwice } = await runRollingRestart(database, { nodes: 2, stepMs: 200, ordersPerSecond: 30 });
    expect({ violations: verdict.violations, stepsRunTwice }).toEqual({ violations: [], stepsRunTwice: 0 });
    expect(verdict.handedBack).toBeGreaterThan(0);
  });

  it('I9: nodes that abort their steps when they leave are found to run them twice', async () => {
    const nodeArgs = ['--drain-timeout', '0ms'];
    const { verdict, stepsRunTwice } = await runRollingRestart(database, { nodes: 2, stepMs: 200, ordersPerSecond: 30, nodeArgs });
    expect(verdict.violations).toEqual([]);
    expect(stepsRunTwice).toBeGreaterThan(0);
  });
});

describe('the plan of a chaos run', () => {
  const size = { rounds: 200, nodes: 8, paceMs: 1_000 };

  it('is the same for the same seed, and another for another', () => {
    expect(planChaos({ ...size, seed: 7 })).toEqual(planChaos({ ...size, seed: 7 }));
    expect(planChaos({ ...size, seed: 7 })).not.toEqual(planChaos({ ...size, seed: 8 }));
  });

  it('of a longer run begins as that of a shorter one, and holds every action', () => {
    const { rounds } = planChaos({ ...size, seed: 7 });
    expect(planChaos({ ...size, rounds: 20, seed: 7 }).rounds).toEqual(rounds.slice(0, 20));
    expect([...new Set(rounds.map(({ action }) => action))].sort()).toEqual([
      'cut',
      'drain',
      'join',
      'kill',
      'kill leader',
      'pause',
      'stop',
    ]);
  });
});
