import { parseArgs } from 'node:util';
import { median } from '../support/figures.ts';
import { startBenchServer } from '../support/server.ts';
import { runLeaderChaos } from './leader.ts';
import { runAnnouncements, runIntake } from './messages.ts';
import { type OutageOptions, type OutageResult, runOutage } from './outage.ts';
import { runRandomChaos } from './random.ts';
import { runRollingRestart } from './restart.ts';
import type { Verdict } from './verdict.ts';

/**
 * `npm run chaos`: real processes that are killed, paused, cut off, drained and restarted, and a verdict from the histories.
 * Exits 1 when an invariant was broken, or when too little happened to mean anything. `--scenario random|leader|restart|outage|keys|announcements|intake|all`; `--runs` of outage.
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
    runs: { type: 'string', default: '3' },
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

/** The server of one of three warehouses is away for 20 s, under load. */
async function outage(): Promise<void> {
  const results: OutageResult[] = [];
  for (let run = 1; run <= Number(flags.runs); run += 1) {
    console.error(`outage, run ${run}: 3,000 orders to three warehouses; the server of one is killed and stays away for 20 s`);
    results.push(await runOutage({ ...OUTAGE, orders: 3_000, ordersPerSecond: 60, outageMs: 20_000, keyed: 0 }));
  }
  const ratio = median(results.map(({ p99DuringMs, p99BeforeMs }) => p99DuringMs / p99BeforeMs));
  const longest = Math.max(...results.map(({ longestRequestS }) => longestRequestS));
  if (longest > MAX_WAIT_S) faults.push(`a request took ${longest.toFixed(2)} s; at most ${MAX_WAIT_S} s is promised`);
  if (ratio > MAX_P99_RATIO)
    faults.push(`the p99 of the others grew ${ratio.toFixed(2)} times; at most ${MAX_P99_RATIO} times is promised`);
  addOutage('outage', results, {
    longest_request_s: longest,
    others_p99_before_ms: median(results.map(({ p99BeforeMs }) => p99BeforeMs)),
    others_p99_during_ms: median(results.map(({ p99DuringMs }) => p99DuringMs)),
    others_p99_ratio: ratio,
  });
}

/** 300 keyed orders to a warehouse that dies meanwhile, sent again while it is away and after. */
async function keys(): Promise<void> {
  console.error('300 keyed orders to a warehouse that dies meanwhile, sent again while it is away and after');
  addOutage('keys', [await runOutage({ ...OUTAGE, orders: 300, ordersPerSecond: 30, outageMs: 8_000, keyed: 300 })], {});
}

const onPhase = (phase: string): void => console.error(`  ${phase}`);

/** Every event of 5,000 orders reaches a listener, though the broker is killed twice and the gateway that announces three times. */
async function announcements(): Promise<void> {
  console.error('5,000 orders are announced; the broker is killed twice, the gateway three times');
  const { violations, ...result } = await runAnnouncements({
    orders: 5_000,
    ordersPerSecond: 120,
    brokerKills: 2,
    gatewayKills: 3,
    onPhase,
  });
  const shown = { orders: result.orders, events: result.events, heard: result.heard, heard_again: result.heardAgain };
  show('announcements', { ...shown, violations: violations.length }, violations);
}

/** 5,000 messages, some of them no orders and some sent twice; the gateway that takes them in is killed five times. */
async function intake(): Promise<void> {
  console.error('5,000 messages come in; the gateway that takes them in is killed five times');
  const { violations, ...result } = await runIntake({ messages: 5_000, gatewayKills: 5, onPhase });
  show('intake', { ...result, violations: violations.length }, violations);
}

const OUTAGE: Pick<OutageOptions, 'stepMs' | 'onPhase'> = { stepMs: 200, onPhase };
const MAX_WAIT_S = 2;
const MAX_P99_RATIO = 1.5;

function addOutage(name: string, results: readonly OutageResult[], figures: Record<string, number>): void {
  const sum = (pick: (result: OutageResult) => number): number => results.reduce((total, result) => total + pick(result), 0);
  const violations = results.flatMap((result) => result.violations);
  const unexplained = sum((result) => result.unexplained);
  if (unexplained > 0) violations.push(`${unexplained} orders went elsewhere without saying why`);
  if (sum(({ fallbacks }) => fallbacks) === 0) violations.push('no order went to a fallback: the outage was none');
  const counts = {
    runs: results.length,
    accepted: sum(({ accepted }) => accepted),
    fallbacks: sum(({ fallbacks }) => fallbacks),
    keys_processed_once: sum(({ processedOnce }) => processedOnce),
    conflicts_listed: sum(({ conflicts }) => conflicts),
    violations: violations.length,
  };
  show(name, { ...counts, ...figures }, violations);
}

function shown({ violations, ...verdict }: Verdict): object {
  const { handedOver, handedBack, fencedWrites, endedSessions, leaderTerms, slowestOrderS, orders } = verdict;
  return {
    ...{ orders, violations: violations.length, handed_over: handedOver, handed_back: handedBack, fenced_writes: fencedWrites },
    ...{ sessions_ended: endedSessions, leader_terms: leaderTerms, slowest_order_s: slowestOrderS },
  };
}

function add(name: string, result: object, { violations }: Verdict): void {
  show(name, result, violations);
}

function show(name: string, result: object, violations: readonly string[]): void {
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

const scenarios = { random, leader, restart, outage, keys, announcements, intake };
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
