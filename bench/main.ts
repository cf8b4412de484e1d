import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchAccept } from './accept.ts';
import { benchCarry } from './carry.ts';
import { benchFleet } from './fleet.ts';
import { benchGenerator } from './generator.ts';
import { benchHerd } from './herd.ts';
import { benchIdle } from './idle.ts';
import { benchPeers } from './peers/suite.ts';
import { benchPickUp } from './pick-up.ts';
import { benchPrices } from './prices.ts';
import { benchRestart } from './restart.ts';
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
  ? { rounds: 1, carryOrders: 5_000, loadSeconds: 2, pickUps: 100, idleSeconds: 5, kills: 3, slowKills: 1, fleets: [1, 2] }
  : { rounds: 3, carryOrders: 20_000, loadSeconds: 5, pickUps: 500, idleSeconds: 15, kills: 10, slowKills: 3, fleets: [1, 2, 4, 8] };

const SUITES = ['carry', 'accept', 'pick-up', 'idle'] as const;
/** Of the cluster: they take minutes, so they are asked for. */
const CLUSTER_SUITES = ['takeover', 'fleet', 'herd', 'restart', 'prices', 'generator'] as const;
/** Beside other products; their packages are installed for it, so it runs only when it is named. */
const all = [...SUITES, ...CLUSTER_SUITES, 'peers'] as const;
type Suite = (typeof all)[number];
const chosen =
  flags.only === undefined ? (flags.full ? [...SUITES, ...CLUSTER_SUITES] : SUITES) : all.filter((name) => name === flags.only);
if (chosen.length === 0) throw new Error(`--only is "${flags.only}"; allowed is one of ${all.join(', ')}`);

const server = await startBenchServer();
const stop = async (): Promise<void> => {
  await stopChildren();
  await server.stop();
};
process.once('SIGINT', () => void stop().finally(() => process.exit(130)));

const suites: Record<Suite, () => Promise<Figure[]>> = {
  carry: () => benchCarry(server, size.rounds, size.carryOrders),
  accept: () => benchAccept(server, size.rounds, size.loadSeconds),
  'pick-up': () => benchPickUp(server, size.pickUps),
  idle: () => benchIdle(size.idleSeconds),
  takeover: () => benchTakeover(server, size.kills, size.slowKills),
  fleet: () => benchFleet(size.fleets),
  herd: () => benchHerd(),
  restart: () => benchRestart(server),
  prices: () => benchPrices(server),
  generator: () => benchGenerator(server),
  peers: () => benchPeers(server, size.rounds, flags.quick ? 0.25 : 1),
};
const figures: Figure[] = [];
try {
  for (const name of chosen) {
    console.error(`measuring ${name} …`);
    figures.push(...(await suites[name]()));
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
