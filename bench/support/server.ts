import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import type { Store } from '#engine/store.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { cpuOfTree } from './processes.ts';

export const STEP_NAMES = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];

/** A PostgreSQL server of the benchmark's own, with the settings that a start uses. */
export interface BenchServer {
  url: string;
  /** A fresh, migrated database with the default workflow; and a store on it. */
  createDatabase(): Promise<BenchDatabase>;
  /** CPU seconds that all of PostgreSQL has used; 0 where there is no /proc. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export interface BenchDatabase {
  url: string;
  store: Store;
  client: pg.Client;
  close(): Promise<void>;
}

/** A database of its own for what is measured; removed afterwards. */
export async function withDatabase<Result>(server: BenchServer, measure: (database: BenchDatabase) => Promise<Result>): Promise<Result> {
  const database = await server.createDatabase();
  try {
    return await measure(database);
  } finally {
    await database.close();
  }
}

const POLL_MS = 5;
const GIVE_UP_MS = 60_000;

/** Waits until the condition holds; rejects after a minute. */
export async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + GIVE_UP_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error('the benchmark waited a minute for something that did not come');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

export async function startBenchServer(settings: Record<string, string> = {}): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'conveyor-bench-'));
  await chmod(folder, 0o755);
  const server = await startEmbedded({ warehouse: 'HCM', dataDir: folder, log: silentLog, clock: systemClock, settings });
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  let databases = 0;
  return {
    url: server.url,
    async createDatabase() {
      databases += 1;
      const name = `bench_${databases}`;
      await admin.query(`create database ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      await migrate(url.href, 'HCM', silentLog);
      const store = await openPostgresStore({ url: url.href, log: silentLog, clock: systemClock });
      await store.registerWorkflows([{ name: 'order', version: 1, stepNames: STEP_NAMES }]);
      const client = new pg.Client({ connectionString: url.href });
      client.on('error', () => undefined);
      await client.connect();
      const close = async (): Promise<void> => {
        await client.end();
        await store.close();
        await admin.query(`drop database ${name} with (force)`);
      };
      return { url: url.href, store, client, close };
    },
    cpuSeconds: () => cpuOfTree(server.pid),
    async stop() {
      await admin.end();
      await server.stop('immediate');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
