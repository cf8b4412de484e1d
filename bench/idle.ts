import { startChild } from './support/child.ts';
import type { Figure } from './support/figures.ts';
import { beginCounting, countStatements, startCountingServer } from './support/statements.ts';

/** A node's first statements are those of its start. */
const SETTLE_MS = 2_000;

/** Statements that a node without work sends, counted by the server; a lone node leads, which is the busier part. */
export async function benchIdle(seconds: number): Promise<Figure[]> {
  const server = await startCountingServer();
  const database = await server.createDatabase();
  const node = await startChild('node.ts', { BENCH_URL: database.url });
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  try {
    await beginCounting(database.client);
    await pause(SETTLE_MS);
    const before = await countStatements(database.client);
    await pause(seconds * 1_000);
    const sent = (await countStatements(database.client)) - before;
    return [{ name: 'statements of an idle node', value: sent / seconds, unit: 'per second', target: { atMost: 2.5 } }];
  } finally {
    await node.stop();
    await database.close();
    await server.stop();
  }
}
