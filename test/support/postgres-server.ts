import { rm } from 'node:fs/promises';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { openFolder } from './folders.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Of a server that lives as long as the run; its database is nobody's. */
    postgresUrl: string;
  }
}

/** The migrated database that every test's own is a copy of. */
export const TEMPLATE = 'conveyor_template';

/** Starts one real PostgreSQL server for the tests of a project: a second costs a second, sharing would cost a protocol. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await openFolder('conveyor-test-');
  const server = await startEmbedded({ warehouse: 'HCM', dataDir: folder, log: silentLog, clock: systemClock });
  const teardown = async (): Promise<void> => {
    await server.stop('immediate');
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await makeTemplate(server.url);
  } catch (thrown) {
    await teardown();
    throw thrown;
  }
  project.provide('postgresUrl', server.url);
  return teardown;
}

async function makeTemplate(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`create database ${TEMPLATE}`);
    const template = new URL(url);
    template.pathname = `/${TEMPLATE}`;
    await migrate(template.href, 'HCM', silentLog);
    // A database that somebody is connected to cannot be copied.
    await client.query(`alter database ${TEMPLATE} allow_connections false`);
  } finally {
    await client.end();
  }
}
