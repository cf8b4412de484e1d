import { parseArgs } from 'node:util';
import { startBenchServer } from '../support/server.ts';
import { runLeaderChaos } from './leader.ts';
import { runRandomChaos } from './random.ts';
import { runRollingRestart } from './restart.ts';
import type { Verdict } from './verdict.ts';

/**
 * `npm run chaos`: real processes that are killed, paused, cut off, drained and restarted, and a verdict from the histories.
 * Exits 1 when an invariant was broken, or when too little happened to mean anything. `--scenario random|leader|restart|all`.
 */
const { values: flags } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'random' },
    rounds: { type: 'string', default: '200' },
    orders: { type: 'string', default: '5000' },
    nodes: { type: 'string', default: '8' },
    kills: { type: 'string', default: '20' },
    seed: { type: 'string' },
    pace: { type: 'string', default: '1000' },
    json: { type: 'boolean' },
  },
});
const LEASE_S = 3;
/** Of the full run; a shorter one needs as much of it as it has rounds. */
const HANDED_OVER_IN_200_ROUNDS = 300;

const seed = Number(flags.seed ?? Math.floor(Math.random() * 2 ** 31));
const rounds = Number(flags.rounds);
const report: Record<string, unknown> = { seed };
const faults: string[] = [];

const server = await startBenchServer();
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => void server.stop().finally(() => process.exit(code)));
}

async function random(): Promise<void> {
  console.error(`random chaos: ${rounds} rounds, ${flags.nodes} nodes, ${flags.orders} orders, --seed ${seed}`);
  const database = await server.createDatabase();
  const { verdict, actions } = await runRandomChaos(database, {
    ...{ rounds, orders: Number(flags.orders), nodes: Number(flags.nodes), seed, paceMs: Number(flags.pace) },
    onRound: (round, action) => {
      if (round % 20 === 0) console.error(`  round ${round}: ${action}`);
    },
  });
  await database.close();
  const needed = Math.floor((HANDED_OVER_IN_200_ROUNDS * rounds) / 200);
  if (verdict.handedOver < needed) faults.push(`only ${verdict.handedOver} orders were handed over; ${needed} make the run count`);
  add('random', { rounds, actions, ...shown(verdict) }, verdict);
}

async function leader(): Promise<void> {
  console.error(`the leader is killed ${flags.kills} times`);
  const database = await server.createDatabase();
  const { verdict, seconds, medianS, maxS } = await runLeaderChaos(database, {
    ...{ kills: Number(flags.kills), nodes: 3, ordersPerKill: 30 },
    onKill: (kill, seconds) => console.error(`  kill ${kill}: a new leader after ${seconds.toFixed(2)} s`),
  });
  await database.close();
  if (maxS > LEASE_S + 1) faults.push(`a new leader took ${maxS.toFixed(2)} s; at most lease + 1 s (${LEASE_S + 1} s) is promised`);
  add('leader', { kills: seconds.length, new_leader_median_s: medianS, new_leader_max_s: maxS, ...shown(verdict) }, verdict);
}

async function restart(): Promise<void> {
  console.error('a rolling restart of 4 nodes under load');
  const database = await server.createDatabase();
  const { verdict, ...result } = await runRollingRestart(database, { nodes: 4, stepMs: 500, ordersPerSecond: 50 });
  await database.close();
  if (result.stepsRunTwice > 0) faults.push(`${result.stepsRunTwice} steps were run twice`);
  if (result.delayedOrders > 0) faults.push(`${result.delayedOrders} orders were delayed by more than a second`);
  add(
    'restart',
    {
      steps_begun: result.stepsBegun,
      steps_run_twice: result.stepsRunTwice,
      delayed_orders: result.delayedOrders,
      longest_delay_s: result.longestDelayS,
      ...shown(verdict),
    },
    verdict,
  );
}

function shown({ violations, ...verdict }: Verdict): object {
  const { handedOver, handedBack, fencedWrites, endedSessions, leaderTerms, slowestOrderS, orders } = verdict;
  return {
    ...{ orders, violations: violations.length, handed_over: handedOver, handed_back: handedBack, fenced_writes: fencedWrites },
    ...{ sessions_ended: endedSessions, leader_terms: leaderTerms, slowest_order_s: slowestOrderS },
  };
}

function add(name: string, result: object, { violations }: Verdict): void {
  report[name] = result;
  faults.push(...violations);
  if (!flags.json) for (const [label, value] of Object.entries(result)) console.log(`  ${label.padEnd(22)} ${render(value)}`);
}

function render(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(3);
  return Object.entries(value as Record<string, number>)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}

const scenarios = { random, leader, restart };
const chosen = flags.scenario === 'all' ? Object.values(scenarios) : [scenarios[flags.scenario as keyof typeof scenarios]];
try {
  for (const scenario of chosen) {
    if (!scenario) throw new Error(`--scenario is "${flags.scenario}"; allowed is one of ${Object.keys(scenarios).join(', ')}, all`);
    await scenario();
  }
} finally {
  await server.stop();
}
if (flags.json) console.log(JSON.stringify({ ...report, faults }));
for (const fault of faults.slice(0, 50)) console.error(`VIOLATED: ${fault}`);
console.error(faults.length === 0 ? 'verdict: nothing lost, nothing done twice' : `verdict: ${faults.length} faults (--seed ${seed})`);
process.exitCode = faults.length === 0 ? 0 : 1;
