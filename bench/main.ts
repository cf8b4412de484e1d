import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAccept } from './accept.ts';
import { benchCarry } from './carry.ts';
import { benchFleet } from './fleet.ts';
import { benchHerd } from './herd.ts';
import { benchIdle } from './idle.ts';
import { benchPickUp } from './pick-up.ts';
import { stopChildren } from './support/child.ts';
import { type Figure, isMet, printFigures } from './support/figures.ts';
import { startBenchServer } from './support/server.ts';
import { benchTakeover } from './takeover.ts';

/**
 * `npm run bench`: measures and reports; it asserts nothing. `--quick`: one short round of each. `--json`: one object.
 * `--only NAME`: this suite alone; the cluster's suites, which take minutes, run only so or with `--full`.
 */
const { values: flags } = parseArgs({
  options: { json: { type: 'boolean' }, quick: { type: 'boolean' }, full: { type: 'boolean' }, only: { type: 'string' } },
});
const size = flags.quick
  ? { rounds: 1, carryOrders: 5_000, loadSeconds: 2, pickUps: 100, idleSeconds: 5 }
  : { rounds: 3, carryOrders: 20_000, loadSeconds: 5, pickUps: 500, idleSeconds: 15 };

const server = await startBenchServer();
const stop = async (): Promise<void> => {
  await stopChildren();
  await server.stop();
};
process.once('SIGINT', () => void stop().finally(() => process.exit(130)));

const suites: [name: string, run: () => Promise<Figure[]>][] = [
  ['carry', () => benchCarry(server, size.rounds, size.carryOrders)],
  ['accept', () => benchAccept(server, size.rounds, size.loadSeconds)],
  ['pick-up', () => benchPickUp(server, size.pickUps)],
  ['idle', () => benchIdle(size.idleSeconds)],
];
const clusterSuites: typeof suites = [
  ['takeover', () => benchTakeover(server, 10, 3)],
  ['fleet', () => benchFleet()],
  ['herd', () => benchHerd()],
];
const all = [...suites, ...clusterSuites];
const chosen = flags.only === undefined ? (flags.full ? all : suites) : all.filter(([name]) => name === flags.only);
if (chosen.length === 0) throw new Error(`--only is "${flags.only}"; allowed is one of ${all.map(([name]) => name).join(', ')}`);
const figures: Figure[] = [];
try {
  for (const [name, run] of chosen) {
    console.error(`measuring ${name} …`);
    figures.push(...(await run()));
  }
} finally {
  await stop();
}
const machine = {
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory_gib: Math.round(totalmem() / 2 ** 30),
  node: process.version,
};
if (flags.json) console.log(JSON.stringify({ machine, figures: figures.map((figure) => ({ ...figure, met: isMet(figure) })) }));
else printFigures(figures);
