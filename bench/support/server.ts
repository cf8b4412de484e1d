import { readdirSync, readFileSync } from 'node:fs';
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

const TICKS_PER_SECOND = 100;

/** User and system seconds of one process; with those of its ended children if asked. */
export function cpuOf(pid: number, withChildren = false): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [own, children] = [(fields[11] ?? 0) + (fields[12] ?? 0), (fields[13] ?? 0) + (fields[14] ?? 0)];
    return (own + (withChildren ? children : 0)) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

function cpuOfTree(root: number): number {
  let seconds = cpuOf(root, true);
  try {
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(root))
        seconds += cpuOf(Number(name));
    }
  } catch {
    // A process ended while we looked, or there is no /proc.
  }
  return seconds;
}
