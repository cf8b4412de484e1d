import { benchAccept } from './accept.ts';
import { benchBacklog } from './backlog.ts';
import { benchCarry } from './carry.ts';
import { benchConsole } from './console.ts';
import { benchFleet } from './fleet.ts';
import { benchGenerator } from './generator.ts';
import { benchHerd } from './herd.ts';
import { benchIdle } from './idle.ts';
import { benchOverload } from './overload.ts';
import { benchPeers } from './peers/suite.ts';
import { benchPickUp } from './pick-up.ts';
import { benchPrices } from './prices.ts';
import { benchQuery } from './query.ts';
import { writeReport } from './report.ts';
import { benchRestart } from './restart.ts';
import { benchRetention } from './retention.ts';
import { benchSoak } from './soak.ts';
import { stopChildren } from './support/child.ts';
import { type Figure, type Measured, printFigures, refuseNoNumbers } from './support/figures.ts';
import { measureBusyShare } from './support/processes.ts';
import { saveResult, showResults } from './support/results.ts';
import { startBenchServer } from './support/server.ts';
import { readFlags, sizesOf } from './support/sizes.ts';
import { benchTakeover } from './takeover.ts';

/**
 * `npm run bench`: measures and reports; it asserts nothing, but a suite whose work went wrong shows an error and no figures.
 * The flags are told in support/sizes.ts.
 */
interface Suite {
  name: string;
  /** Part of a run without flags. The others take minutes: they are asked for. */
  isShort?: boolean;
  /** Not even part of a full run: packages are installed for it. */
  isNamedOnly?: boolean;
  measure: () => Promise<Figure[] | Measured>;
}

const flags = readFlags();
const size = sizesOf(flags);
const server = await startBenchServer();
const suites: Suite[] = [
  { name: 'carry', isShort: true, measure: () => benchCarry(server, size.rounds, size.carryOrders) },
  { name: 'accept', isShort: true, measure: () => benchAccept(server, size.rounds, size.loadSeconds) },
  { name: 'pick-up', isShort: true, measure: () => benchPickUp(server, size.pickUps, size.loadSeconds) },
  { name: 'idle', isShort: true, measure: () => benchIdle(size.idleSeconds) },
  { name: 'query', measure: () => benchQuery(server, size) },
  { name: 'backlog', measure: () => benchBacklog(server, size) },
  { name: 'retention', measure: () => benchRetention(server, size) },
  { name: 'soak', measure: () => benchSoak(server, size.soakMinutes, size.loadSeconds) },
  { name: 'overload', measure: () => benchOverload(server, size) },
  { name: 'takeover', measure: () => benchTakeover(server, size.kills, size.slowKills) },
  { name: 'fleet', measure: () => benchFleet(size) },
  { name: 'console', measure: () => benchConsole(server, size) },
  { name: 'herd', measure: () => benchHerd() },
  { name: 'restart', measure: () => benchRestart(server) },
  { name: 'prices', measure: () => benchPrices(server) },
  { name: 'generator', measure: () => benchGenerator(server) },
  { name: 'peers', isNamedOnly: true, measure: () => benchPeers(server, size.rounds, flags.quick ? 0.25 : 1) },
];

const stop = async (): Promise<void> => {
  await stopChildren();
  await server.stop();
};
process.once('SIGINT', () => void stop().finally(() => process.exit(130)));

const chosen = suites.filter(({ name, isShort, isNamedOnly }) =>
  flags.only === undefined ? isShort || (flags.full && !isNamedOnly) : name === flags.only,
);
const results: Measured[] = [];
try {
  if (chosen.length === 0) throw new Error(`--only is "${flags.only}"; allowed is one of ${suites.map(({ name }) => name).join(', ')}`);
  for (const { name, measure } of chosen) {
    console.error(`measuring ${name} …`);
    try {
      const othersShare = await measureBusyShare();
      if (othersShare > 0.1) console.error(`others use ${Math.round(othersShare * 100)} % of this machine: figures suffer from it`);
      const result = await measure();
      const measured = Array.isArray(result) ? { figures: result } : result;
      refuseNoNumbers(measured);
      results.push(measured);
      if (flags.save) await saveResult(server, { suite: name, othersShare, measured }, flags);
    } catch (error) {
      console.error(`${name} is refused:`, error);
      process.exitCode = 1;
    }
  }
  if (flags.save) await writeReport();
} finally {
  await stop();
}
const figures = results.flatMap((measured) => measured.figures);
if (flags.json) console.log(JSON.stringify(showResults(figures)));
else printFigures(figures);
