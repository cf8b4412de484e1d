import { spawn } from 'node:child_process';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Binaries } from './binaries.ts';
import { plainEnvironment } from './execute.ts';
import { EmbeddedError } from './failure.ts';
import { databaseUrl } from './password.ts';
import type { Postmaster } from './pid-file.ts';
import type { Place } from './place.ts';
import { createDatabase, probe } from './probe.ts';
import { isSameProcess, startOfProcess } from './process-identity.ts';

const MAX_LOG_BYTES = 10 * 1024 * 1024;
const LOG_TAIL_BYTES = 2_000;
const PROBE_EVERY_MS = 50;
/** Recovery after a crash replays up to `max_wal_size`. */
const START_TIMEOUT_MS = 120_000;
/** For so long another server may answer on the port while ours finds it taken. */
const REFUSAL_PATIENCE_MS = 3_000;
const STOP_TIMEOUT_MS = 30_000;

export function isAlive(postmaster: Postmaster): boolean {
  return isSameProcess(postmaster.pid, postmaster.processStart);
}

/**
 * Starts the server in a process group of its own (Ctrl-C in the terminal is not for it) and lets it outlive us: after a
 * kill of this process the next start uses it again.
 */
export async function spawnPostmaster(place: Place, binaries: Binaries, args: readonly string[], port: number): Promise<Postmaster> {
  const logFile = join(place.folder, 'postgres.log');
  const isLong = await stat(logFile).then(
    ({ size }) => size > MAX_LOG_BYTES,
    () => false,
  );
  const log = await open(logFile, isLong ? 'w' : 'a', 0o600);
  try {
    const who = place.account === undefined ? {} : { uid: place.account.uid, gid: place.account.gid };
    const child = spawn(binaries.postgres, [...args], {
      ...who,
      cwd: '/',
      detached: true,
      env: plainEnvironment(),
      stdio: ['ignore', log.fd, log.fd],
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once('spawn', () => resolve(child.pid as number));
      child.once('error', reject);
    });
    child.unref();
    return { pid, processStart: startOfProcess(pid), port };
  } finally {
    await log.close();
  }
}

/** Waits until the server answers to our password. `gone`: it ended instead. */
export async function waitUntilReady(postmaster: Postmaster, place: Place, password: string, clock: Clock): Promise<'ready' | 'gone'> {
  const url = databaseUrl(password, postmaster.port);
  const end = clock.monotonic() + START_TIMEOUT_MS;
  let refusalEnd: number | undefined;
  while (clock.monotonic() < end) {
    const outcome = await probe(url);
    if (outcome === 'ready' || outcome === 'busy') return 'ready';
    if (outcome === 'no-database') await createDatabase(url);
    if (!isAlive(postmaster)) return 'gone';
    if (outcome === 'wrong-password') {
      refusalEnd ??= clock.monotonic() + REFUSAL_PATIENCE_MS;
      if (clock.monotonic() > refusalEnd) throw passwordRefused(postmaster, place);
    }
    await sleep(clock, PROBE_EVERY_MS);
  }
  throw new EmbeddedError(
    `The PostgreSQL server (pid ${postmaster.pid}) does not answer after ${START_TIMEOUT_MS / 1_000} s; see ${join(place.folder, 'postgres.log')}.`,
  );
}

function passwordRefused(postmaster: Postmaster, place: Place): EmbeddedError {
  const file = join(place.folder, 'password');
  return new EmbeddedError(
    `The PostgreSQL server on port ${postmaster.port} (pid ${postmaster.pid}) refuses the password in ${file}. ` +
      'Put the right password back, or delete that file: the next start then sets a new one.',
  );
}

/** Ends the server and waits until its process is gone: `fast` closes its sessions, `immediate` leaves recovery to the next start. */
export async function stopPostmaster(postmaster: Postmaster, mode: 'fast' | 'immediate', clock: Clock): Promise<void> {
  const end = clock.monotonic() + STOP_TIMEOUT_MS;
  signal(postmaster, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  while (isAlive(postmaster)) {
    if (clock.monotonic() > end)
      throw new EmbeddedError(`The PostgreSQL server (pid ${postmaster.pid}) does not stop; end it with \`kill -QUIT ${postmaster.pid}\`.`);
    await sleep(clock, 10);
  }
}

function signal(postmaster: Postmaster, name: NodeJS.Signals): void {
  try {
    if (isAlive(postmaster)) process.kill(postmaster.pid, name);
  } catch {
    // It ended meanwhile.
  }
}

/** The end of the server's log, for the message when it would not start. */
export async function readLogTail(place: Place): Promise<string> {
  const text = await readFile(join(place.folder, 'postgres.log'), 'utf8').catch(() => '');
  return text.slice(-LOG_TAIL_BYTES).trim();
}
