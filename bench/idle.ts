import { startChild } from './support/child.ts';
import type { Figure } from './support/figures.ts';
import type { BenchServer } from './support/server.ts';

/** The server's counters reach the view up to this much later. */
const SETTLE_MS = 2_000;

/** Statements that a node without work sends. Each is a transaction of its own, so commits count them. */
export async function benchIdle(server: BenchServer, seconds: number): Promise<Figure[]> {
  const database = await server.createDatabase();
  const node = await startChild('node.ts', { BENCH_URL: database.url });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const commits = async (): Promise<number> => {
    const { rows } = await database.client.query<{ count: string }>(`
      select xact_commit + xact_rollback as count from pg_stat_database where datname = current_database()`);
    return Number(rows[0]?.count);
  };
  try {
    await pause(SETTLE_MS);
    const before = await commits();
    await pause(seconds * 1_000);
    // The first of our own two questions is among them.
    const sent = (await commits()) - before - 1;
    return [{ name: 'statements of an idle node', value: sent / seconds, unit: 'per second', target: { atMost: 2.5 } }];
  } finally {
    await node.stop();
    await database.close();
  }
}
