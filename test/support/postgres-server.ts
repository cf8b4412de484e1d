import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { migrate } from '#store/postgres/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a server that lives as long as the run; its database is nobody's. */
    postgresUrl: string;
  }
}

/** The migrated database that every test's own is a copy of. */
export const TEMPLATE = 'conveyor_template';

/** Starts one real PostgreSQL server for the tests of a project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'conveyor-test-'));
  const server = await startEmbedded({ warehouse: 'HCM', dataDir: folder, log: silentLog, clock: systemClock });
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(`create database ${TEMPLATE}`);
  await client.end();
  const template = new URL(server.url);
  template.pathname = `/${TEMPLATE}`;
  await migrate(template.href, 'HCM', silentLog);
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.stop('immediate');
    await rm(folder, { recursive: true, force: true });
  };
}
