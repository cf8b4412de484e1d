import pg from 'pg';
import { codeOf } from './failure.ts';

/** What a server answers: ready for our role and database, still (or no longer) on its way, or why not. */
export type ProbeOutcome = 'ready' | 'no-database' | 'wrong-password' | 'busy' | 'not-yet';

const OUTCOME_OF_CODE: Readonly<Record<string, ProbeOutcome>> = {
  '28P01': 'wrong-password',
  '28000': 'wrong-password',
  '3D000': 'no-database',
  '53300': 'busy',
};

const PROBE_TIMEOUT_MS = 5_000;

/** Logs in with the password and runs a statement; an open port alone says nothing. */
export async function probe(url: string): Promise<ProbeOutcome> {
  try {
    await query(url, 'select 1');
    return 'ready';
  } catch (thrown) {
    return OUTCOME_OF_CODE[codeOf(thrown) ?? ''] ?? 'not-yet';
  }
}

/** A crash between `initdb` and this leaves a server without it, so it is asked for at every start. */
export async function createDatabase(url: string): Promise<void> {
  const address = new URL(url);
  address.pathname = '/postgres';
  try {
    await query(address.href, 'create database conveyor');
  } catch (thrown) {
    if (codeOf(thrown) !== '42P04') throw thrown;
  }
}

async function query(url: string, statement: string): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'conveyor-embedded',
    connectionTimeoutMillis: PROBE_TIMEOUT_MS,
    query_timeout: PROBE_TIMEOUT_MS * 6,
  });
  // A server that goes down closes the connection whenever it likes; without a listener that would end our process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => undefined);
  }
}
