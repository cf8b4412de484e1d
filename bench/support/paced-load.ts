import { startChild } from './child.ts';
import { loadOnce } from './load.ts';
import { untilCompleted } from './orders.ts';
import type { BenchDatabase } from './server.ts';
import { countCompleted } from './stored-orders.ts';

const CAPACITY_CONNECTIONS = 64;
const LOWER_BY = 0.85;
const MAX_WAIT_S = 0.25;

/** What became of the requests of a load. */
export interface LoadReport {
  /** What the rate asks for: sent, or left out because no more answers may be waited for. */
  offered: number;
  sent: number;
  accepted: number;
  /** Answered with 503. */
  overloaded: number;
  withoutRetryAfter: number;
  otherAnswers: number;
  unanswered: number;
  /** Connections that the other side ended. */
  cutOff: number;
}

export interface PacedLoad {
  /** Sends no more, and tells what became of what was sent. */
  end(): Promise<LoadReport>;
}

/**
 * Orders per second that a gateway accepts while a node carries them: the first of ever lower rates, each kept up for so long, at
 * whose end no more orders wait than come in a quarter of a second. The highest is what both do in turn, in whole batches.
 */
export async function measureCapacity(gatewayUrl: string, database: BenchDatabase, seconds: number): Promise<number> {
  await carryLoad(gatewayUrl, database, 1);
  const most = await carryLoad(gatewayUrl, database, seconds);
  for (let rate = most; rate > most / 10; rate *= LOWER_BY) if (await isKeptUp(gatewayUrl, database, rate, seconds)) return rate;
  throw new Error(`not even a tenth of ${Math.round(most)} orders a second could be kept up`);
}

async function carryLoad(gatewayUrl: string, database: BenchDatabase, seconds: number): Promise<number> {
  const completedBefore = await countCompleted(database.client);
  const began = performance.now();
  const { requests } = await loadOnce(gatewayUrl, { connections: CAPACITY_CONNECTIONS, seconds });
  await untilCompleted(database, completedBefore + requests);
  return (requests / (performance.now() - began)) * 1_000;
}

async function isKeptUp(gatewayUrl: string, database: BenchDatabase, rate: number, seconds: number): Promise<boolean> {
  const completedBefore = await countCompleted(database.client);
  const load = await startLoad(gatewayUrl, { BENCH_RATE: String(rate) });
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { queued } = await database.store.readLoad();
  const { sent, accepted } = await load.end();
  await untilCompleted(database, completedBefore + accepted);
  // What is too much may be refused: that is what is to be found out.
  return accepted === sent && sent >= rate * seconds && queued <= rate * MAX_WAIT_S;
}

/** So many orders per second, evenly, from a process of its own, until ended; its end rejects unless all were accepted. */
export async function startPacedLoad(gatewayUrl: string, perSecond: number): Promise<PacedLoad> {
  const load = await startLoad(gatewayUrl, { BENCH_RATE: String(perSecond) });
  return {
    async end() {
      const report = await load.end();
      if (report.accepted !== report.sent) throw new Error(`not all of the paced load was accepted: ${JSON.stringify(report)}`);
      return report;
    },
  };
}

/** Goes on whatever the answers are; `env` is told in processes/paced-load.ts. */
export async function startLoad(gatewayUrl: string, env: Record<string, string>): Promise<PacedLoad> {
  const child = await startChild('paced-load.ts', { BENCH_TARGET: gatewayUrl, ...env });
  const told = new Promise<string>((resolve) => child.onLine(resolve));
  return {
    async end() {
      child.kill('SIGTERM');
      const report = JSON.parse(await told) as LoadReport;
      await child.stop();
      return report;
    },
  };
}
