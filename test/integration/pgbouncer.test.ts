import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { silentLog } from '#engine/log.ts';
import { WorkflowRegistry } from '#engine/registry.ts';
import type { Store } from '#engine/store.ts';
import { startNode } from '#node/node.ts';
import { openPostgresStore } from '#store/postgres/open.ts';
import { countLivenessLocks, createTestDatabase, type TestDatabase } from '#test/database.ts';
import { openFolder } from '#test/folders.ts';
import { acceptMany, countOpen } from '#test/orders.ts';
import { freePort, waitUntil } from '#test/waiting.ts';
import { orderWorkflow } from '#workflows/order.ts';

const BINARY = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer'].find(existsSync);
/** Before 1.21 it has no prepared statements in transaction mode: those versions need session mode for everything but this. */
const version = BINARY ? (/(\d+)\.(\d+)/.exec(execFileSync(BINARY, ['--version'], { encoding: 'utf8' })) ?? []).slice(1).map(Number) : [];
const hasPrepared = (version[0] ?? 0) > 1 || (version[1] ?? 0) >= 21;
if (!BINARY) console.warn('left out: behind PgBouncer; the Debian package pgbouncer is not installed');

describe.skipIf(!BINARY)('behind PgBouncer', () => {
  let database: TestDatabase;
  let folder: string;
  let client: pg.Client;
  let stop: () => Promise<unknown>;
  let url: string;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.url });
    await client.connect();
    folder = await openFolder('conveyor-pgbouncer-');
    const port = await freePort();
    const { username, password, hostname, port: serverPort, pathname } = new URL(database.url);
    // Prepared statements are the client's: where the version cannot track them, a server connection stays with its client.
    const mode = hasPrepared ? 'transaction' : 'session';
    const server = `host=${hostname} port=${serverPort} user=${username} password=${decodeURIComponent(password)}`;
    await writeFile(
      join(folder, 'pgbouncer.ini'),
      `[databases]\n* = ${server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${port}\nunix_socket_dir =\nauth_type = any\npool_mode = ${mode}\nignore_startup_parameters = options,extra_float_digits\n${hasPrepared ? 'max_prepared_statements = 200\n' : ''}`,
    );
    await chmod(join(folder, 'pgbouncer.ini'), 0o644);
    const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : [];
    const child = spawn(BINARY ?? '', [...asUser, join(folder, 'pgbouncer.ini')], { stdio: 'ignore' });
    stop = async () => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    };
    url = `postgres://${username}:x@127.0.0.1:${port}${pathname}`;
    await waitUntil('the pooler to answer', async () => {
      const probe = new pg.Client({ connectionString: url });
      return probe.connect().then(
        () => probe.end().then(() => true),
        () => false,
      );
    });
  });
  afterAll(async () => {
    await stop?.();
    await client?.end();
    await rm(folder, { recursive: true, force: true });
    await database?.drop();
  });

  it('a node works, says that only its lease tells of its end, and takes no lock', async () => {
    const warnings: string[] = [];
    const log: Log = { ...silentLog, warn: (_, message) => void warnings.push(message), child: () => log };
    const store: Store = await openPostgresStore({ url, log, clock: systemClock });
    const registry = new WorkflowRegistry([orderWorkflow({ stepDurationMs: 1, failureRate: 0, clock: systemClock })]);
    const node = await startNode({ store, registry, slots: 5, nodeId: randomUUID(), nodeName: 'pooled', version: 't', log });
    try {
      await waitUntil('it to say so', () => warnings.some((message) => message.includes('behind a connection pooler')));
      const ids = await acceptMany(store, 20);
      await waitUntil('all orders to end', async () => (await countOpen(store, ids)) === 0);
      expect(node.liveness).toBe('unavailable');
      expect(await countLivenessLocks(client)).toBe(0);
      const { rows: sessions } = await client.query(`select has_liveness from node_sessions`);
      expect(sessions).toEqual([{ has_liveness: false }]);
    } finally {
      await node.stop({ graceMs: 0 });
      await store.close();
    }
  });
});
