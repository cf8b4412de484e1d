import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { warehouseNumber } from '#domain/ids.ts';
import type { Log } from '#engine/log.ts';
import { toConnectFault } from './faults.ts';

const MIGRATIONS = new URL('../../../sql/migrations/', import.meta.url);

const CONNECT_TIMEOUT_MS = 3_000;

/** The database answers, and is not what it has to be. */
class SchemaFault extends Error {}

interface MigrationFile {
  name: string;
  text: string;
  checksum: string;
}

/**
 * Brings the database to this version's schema and makes it the database of the named warehouse. Any number of processes
 * may call this at once: one migrates, the others wait for it. Rejects with `SchemaFault` when an applied migration was changed
 * since, when the database is newer than this version, or when it belongs to another warehouse; with `warehouse-unavailable`
 * when it does not answer.
 */
export async function migrate(url: string, warehouse: string, log: Log): Promise<{ applied: string[] }> {
  const pool = new pg.Pool({
    ...{ connectionString: url, max: 2, application_name: 'conveyor migrate' },
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  pool.on('error', () => undefined);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const files = await readMigrations();
    await refuseNewerSchema(db, files);
    const migrator = new Migrator({ db, provider: { getMigrations: async () => Object.fromEntries(files.map(toMigration)) } });
    const { error, results } = await migrator.migrateToLatest();
    if (error) throw error;
    await refuseChangedFiles(db, files);
    await claimForWarehouse(db, warehouse);
    const applied = (results ?? []).map((result) => result.migrationName);
    if (applied.length > 0) log.info({ warehouse, applied }, 'database schema migrated');
    return { applied };
  } catch (error) {
    throw error instanceof SchemaFault ? error : toConnectFault(error, warehouse);
  } finally {
    await db.destroy();
  }
}

/** The newest migration this version knows: its schema's name. */
export async function readSchemaVersion(): Promise<string> {
  return (await readMigrations()).at(-1)?.name ?? 'none';
}

async function readMigrations(): Promise<MigrationFile[]> {
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (file) => {
      const text = await readFile(new URL(file, MIGRATIONS), 'utf8');
      return { name: file.slice(0, -'.sql'.length), text, checksum: createHash('sha256').update(text).digest('hex') };
    }),
  );
}

function toMigration(file: MigrationFile): [string, Migration] {
  const up = async (db: Kysely<unknown>): Promise<void> => {
    await sql`create table if not exists migration_checksums (name text primary key, checksum text not null)`.execute(db);
    await sql.raw(file.text).execute(db);
    await sql`insert into migration_checksums (name, checksum) values (${file.name}, ${file.checksum})`.execute(db);
  };
  return [file.name, { up }];
}

async function readChecksums(db: Kysely<unknown>): Promise<Map<string, string>> {
  const { rows: known } = await sql<{ known: boolean }>`select to_regclass('migration_checksums') is not null as known`.execute(db);
  if (!known[0]?.known) return new Map();
  const { rows } = await sql<{ name: string; checksum: string }>`select name, checksum from migration_checksums`.execute(db);
  return new Map(rows.map((row) => [row.name, row.checksum]));
}

async function refuseNewerSchema(db: Kysely<unknown>, files: MigrationFile[]): Promise<void> {
  const known = new Set(files.map((file) => file.name));
  const unknown = [...(await readChecksums(db)).keys()].filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new SchemaFault(
      `the database has migrations this version does not know (${unknown.join(', ')}): it was used by a newer Conveyor; run that version`,
    );
  }
}

async function refuseChangedFiles(db: Kysely<unknown>, files: MigrationFile[]): Promise<void> {
  const applied = await readChecksums(db);
  const changed = files.filter((file) => applied.get(file.name) !== file.checksum).map((file) => file.name);
  if (changed.length > 0) {
    throw new SchemaFault(
      `migration ${changed.join(', ')} differs from what was applied to this database: restore the file, and put the change into a new migration`,
    );
  }
}

async function claimForWarehouse(db: Kysely<unknown>, warehouse: string): Promise<void> {
  await sql`insert into warehouse (name, number) values (${warehouse}, ${warehouseNumber(warehouse)}) on conflict do nothing`.execute(db);
  const { rows } = await sql<{ name: string; number: number }>`select name, number from warehouse`.execute(db);
  if (rows[0]?.name !== warehouse) {
    throw new SchemaFault(`this database belongs to warehouse ${rows[0]?.name}, not to ${warehouse}: correct CONVEYOR_WAREHOUSES`);
  }
  // Ids would lead astray.
  if (rows[0].number !== warehouseNumber(warehouse)) {
    throw new SchemaFault(`this database has the warehouse number ${rows[0].number}, ${warehouse} has ${warehouseNumber(warehouse)}`);
  }
}
