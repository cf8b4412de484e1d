import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { type Figure, isMet, type Measured } from './figures.ts';
import type { BenchServer } from './server.ts';
import type { Flags } from './sizes.ts';

export const RESULTS_FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

export interface Machine {
  cpu: string;
  cores: number;
  memory_gib: number;
  node: string;
}

/** What one suite found out, in this run. */
export interface SuiteRun {
  suite: string;
  othersShare: number;
  measured: Measured;
}

/** A file of bench/results. */
export interface SavedResult extends Measured {
  suite: string;
  /** RFC 3339. */
  measuredAt: string;
  /** Measured in a hurry, with few orders. */
  isQuick: boolean;
  /** How much of the machine others used just before, from 0 to 1. */
  othersShare: number;
  /** The git commit; with a `+` where files had been changed since. */
  commit: string;
  machine: Machine & { postgresql: string };
}

/** What `--json` prints. */
export function showResults(figures: readonly Figure[]): object {
  return { machine: describeMachine(), figures: figures.map((figure) => ({ ...figure, met: isMet(figure) })) };
}

export async function saveResult(server: BenchServer, { suite, othersShare, measured }: SuiteRun, flags: Flags): Promise<void> {
  const measuredAt = new Date().toISOString();
  const machine = { ...describeMachine(), postgresql: await postgresVersion(server) };
  const about = { suite, measuredAt, isQuick: flags.quick === true, othersShare, commit: commitOf(), machine };
  const result: SavedResult = { ...about, ...measured };
  await mkdir(RESULTS_FOLDER, { recursive: true });
  const name = `${suite}-${measuredAt.slice(0, 10)}${flags.quick ? '-quick' : ''}.json`;
  await writeFile(`${RESULTS_FOLDER}${name}`, `${JSON.stringify(result, null, 2)}\n`);
  console.error(`saved as bench/results/${name}`);
}

function describeMachine(): Machine {
  const model = cpus()[0]?.model ?? 'unknown';
  return { cpu: model, cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30), node: process.version };
}

async function postgresVersion(server: BenchServer): Promise<string> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ server_version: string }>('show server_version');
    return rows[0]?.server_version ?? 'unknown';
  } finally {
    await client.end();
  }
}

function commitOf(): string {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no');
    return git('rev-parse', '--short', 'HEAD') + (changed === '' ? '' : '+');
  } catch {
    return 'unknown';
  }
}
