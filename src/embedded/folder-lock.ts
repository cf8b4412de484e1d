import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatTime } from '#domain/time.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import { sleep } from '#engine/clock.ts';
import { codeOf } from './failure.ts';
import { isSameProcess, processScope, startOfProcess } from './process-identity.ts';

/*
 * A lock between processes that survives any kill of its holder.
 *
 * The lock is a folder with one file in it, `<token>.json`, that says who holds it. Three facts make every race safe:
 *  1. `rename` of a prepared folder onto the lock's path succeeds for one caller only, and only when the lock does not exist or is empty.
 *  2. A file's name is its token, so "remove the dead holder's file" can never hit a holder that came in between.
 *  3. The file is complete before the folder gets its name, so a reader never meets half of it.
 * A plain O_EXCL file lacks the second: two takers see the same dead holder, and the slower unlinks the lock of the faster.
 */

/** Who holds a lock. */
export interface LockHolder {
  readonly pid: number;
  readonly processStart: string;
  readonly host: string;
  readonly boot: string;
  /** RFC 3339: when it took the lock. */
  readonly since: string;
  /** Where it can be reached, if that was said. */
  readonly url: string;
}

export interface FolderLock {
  release(): Promise<void>;
}

/** The holder touches its file this often, for those who cannot see its pid. */
const TOUCH_EVERY_MS = 1_000;
/** A holder in another pid namespace that did not touch its file for so long is dead. */
const FOREIGN_WATCH_MS = 5_000;

/** The lock, or who holds it. The holder's timer keeps its process alive until `release`. */
export async function tryFolderLock(path: string, url: string, clock: Clock): Promise<FolderLock | LockHolder> {
  const token = randomUUID();
  const prepared = `${path}.${token}`;
  await mkdir(prepared);
  try {
    await writeFile(join(prepared, `${token}.json`), JSON.stringify(describeSelf(url, clock)));
    for (;;) {
      if (await claim(prepared, path)) return holdLock(path, token, clock);
      const held = await readHolder(path);
      if (held === undefined) continue;
      if (held.holder !== undefined && !(await isAbandoned(held.file, held.holder, clock))) return held.holder;
      await rm(held.file, { force: true });
    }
  } finally {
    await rm(prepared, { recursive: true, force: true });
  }
}

export function isLock(result: FolderLock | LockHolder): result is FolderLock {
  return 'release' in result;
}

function describeSelf(url: string, clock: Clock): LockHolder {
  return { pid: process.pid, processStart: startOfProcess(process.pid) ?? '', ...processScope, since: formatTime(clock.now()), url };
}

async function claim(prepared: string, path: string): Promise<boolean> {
  try {
    await rename(prepared, path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOTEMPTY' || codeOf(thrown) === 'EEXIST') return false;
    throw thrown;
  }
}

/** The file in the lock; its holder is missing when a power cut left it unreadable. */
async function readHolder(path: string): Promise<{ file: string; holder?: LockHolder } | undefined> {
  try {
    const [name] = await readdir(path);
    if (name === undefined) return undefined;
    const file = join(path, name);
    const holder = parseHolder(await readFile(file, 'utf8'));
    return holder === undefined ? { file } : { file, holder };
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

function parseHolder(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof LockHolder, unknown>>;
    const { pid, processStart, host, boot, since, url } = value;
    if (typeof pid !== 'number') return undefined;
    return { pid, processStart: String(processStart), host: String(host), boot: String(boot), since: String(since), url: String(url) };
  } catch {
    return undefined;
  }
}

async function isAbandoned(file: string, holder: LockHolder, clock: Clock): Promise<boolean> {
  if (holder.host === processScope.host && holder.boot === processScope.boot)
    return !isSameProcess(holder.pid, holder.processStart || undefined);
  const [boot] = holder.boot.split('/');
  const [ownBoot] = processScope.boot.split('/');
  if (holder.host === processScope.host && boot !== ownBoot) return true;
  return !(await isTouched(file, clock));
}

async function isTouched(file: string, clock: Clock): Promise<boolean> {
  const before = await touchedAt(file);
  const end = clock.monotonic() + FOREIGN_WATCH_MS;
  while (clock.monotonic() < end) {
    await sleep(clock, 250);
    const now = await touchedAt(file);
    if (now === undefined) return false;
    if (now !== before) return true;
  }
  return false;
}

async function touchedAt(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
}

function holdLock(path: string, token: string, clock: Clock): FolderLock {
  const file = join(path, `${token}.json`);
  let timer: Timer | undefined;
  let released = false;
  const touch = async (): Promise<void> => {
    const now = clock.now() / 1_000;
    // A lock that somebody removed by hand is not ours to bring back.
    await utimes(file, now, now).catch(() => undefined);
    if (!released) arm();
  };
  const arm = (): void => {
    timer = clock.after(TOUCH_EVERY_MS, () => void touch());
  };
  arm();
  return {
    async release() {
      released = true;
      timer?.cancel();
      await rm(file, { force: true });
    },
  };
}
