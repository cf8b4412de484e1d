import type pg from 'pg';
import { type BenchServer, startBenchServer } from './server.ts';

/** A server that counts its statements; that costs something, so only those who count have one. */
export function startCountingServer(): Promise<BenchServer> {
  return startBenchServer({ shared_preload_libraries: 'pg_stat_statements' });
}

export async function beginCounting(client: pg.Client): Promise<void> {
  await client.query('create extension if not exists pg_stat_statements');
}

/** Statements of this database so far whose text is like the pattern, without those that ask for statistics. */
export async function countStatements(client: pg.Client, like = '%'): Promise<number> {
  const { rows } = await client.query<{ n: number }>(
    `select coalesce(sum(calls), 0)::int as n from pg_stat_statements
      where toplevel and dbid = (select oid from pg_database where datname = current_database())
        and query like $1 and query not like '%pg_stat_%'`,
    [like],
  );
  return rows[0]?.n ?? 0;
}
