import { startChild } from './child.ts';
import { loadOnce } from './load.ts';
import { untilCompleted } from './orders.ts';
import type { BenchDatabase } from './server.ts';
import { countCompleted } from './stored-orders.ts';

const CAPACITY_CONNECTIONS = 64;
const LOWER_BY = 0.85;
const MAX_WAIT_S = 0.25;

export interface PacedLoad {
  /** Sends no more, and tells how many were sent; rejects unless all were accepted. */
  end(): Promise<{ sent: number }>;
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
  const load = await startPacedLoad(gatewayUrl, rate);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const { queued } = await database.store.readLoad();
  const { sent } = await load.end();
  const inTime = sent >= rate * seconds;
  await untilCompleted(database, completedBefore + sent);
  return inTime && queued <= rate * MAX_WAIT_S;
}

/** So many orders per second, evenly, from a process of its own, until ended; a slow answer does not slow it down. */
export async function startPacedLoad(gatewayUrl: string, perSecond: number): Promise<PacedLoad> {
  const child = await startChild('paced-load.ts', { BENCH_TARGET: gatewayUrl, BENCH_RATE: String(perSecond) });
  const told = new Promise<string>((resolve) => child.onLine(resolve));
  return {
    async end() {
      child.kill('SIGTERM');
      const line = await told;
      await child.stop();
      const { sent, accepted } = JSON.parse(line) as { sent: number; accepted: number };
      if (accepted !== sent) throw new Error(`not all of the paced load was accepted: ${line}`);
      return { sent };
    },
  };
}
