import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#engine/clock.ts';
import { systemClock } from '#engine/clock.ts';
import { EmbeddedError } from './failure.ts';
import type { LockHolder } from './folder-lock.ts';
import { isLock, tryFolderLock } from './folder-lock.ts';
import { processScope } from './process-identity.ts';

/** One `conveyor start` per data folder. */
export interface DataDirLock {
  /** Lets the next one in. Until then the process stays alive; a killed holder's lock is taken over by the next start. */
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process; `url` tells a second start where the first one answers.
 *
 * @throws EmbeddedError when another living process holds it: pid, since when, and its URL.
 */
export async function lockDataDir(dataDir: string, info: { url: string }, clock: Clock = systemClock): Promise<DataDirLock> {
  await mkdir(dataDir, { recursive: true });
  const result = await tryFolderLock(join(dataDir, 'conveyor.lock'), info.url, clock);
  if (isLock(result)) return result;
  throw new EmbeddedError(describeHolder(dataDir, result));
}

function describeHolder(dataDir: string, holder: LockHolder): string {
  const where = holder.host === processScope.host ? '' : ` on ${holder.host}`;
  return `Conveyor already runs on this folder: pid ${holder.pid}${where}, since ${holder.since}, ${holder.url}; stop it or use --data-dir (the folder is ${dataDir}).`;
}
