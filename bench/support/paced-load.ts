import { startChild } from './child.ts';
import { loadOnce } from './load.ts';
import { untilCompleted } from './orders.ts';
import type { BenchDatabase } from './server.ts';
import { countCompleted } from './stored-orders.ts';

const CAPACITY_CONNECTIONS = 64;

export interface PacedLoad {
  /** Sends no more, and tells how many were sent; rejects unless all were accepted. */
  end(): Promise<{ sent: number }>;
}

/** Orders per second that a gateway accepts while a node carries them, from the first request to the last order's end. */
export async function measureCapacity(gatewayUrl: string, database: BenchDatabase, seconds: number): Promise<number> {
  await carryLoad(gatewayUrl, database, 1);
  return carryLoad(gatewayUrl, database, seconds);
}

async function carryLoad(gatewayUrl: string, database: BenchDatabase, seconds: number): Promise<number> {
  const completedBefore = await countCompleted(database.client);
  const began = performance.now();
  const { requests } = await loadOnce(gatewayUrl, { connections: CAPACITY_CONNECTIONS, seconds });
  await untilCompleted(database, completedBefore + requests);
  return (requests / (performance.now() - began)) * 1_000;
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
