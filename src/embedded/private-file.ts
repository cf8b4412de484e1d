import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Account } from './execute.ts';
import { codeOf } from './failure.ts';

/**
 * Writes a file whole or not at all, and durably. A symlink in its place is replaced, not followed: the folder may belong to an
 * account that is trusted less than we are.
 */
export async function writePrivate(path: string, text: string, mode = 0o600, account?: Account): Promise<void> {
  const staging = `${path}.${randomUUID()}`;
  try {
    const file = await open(staging, 'wx', mode);
    try {
      await file.chmod(mode);
      if (account !== undefined) await file.chown(account.uid, account.gid);
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staging, path);
    await syncFolder(dirname(path));
  } finally {
    await rm(staging, { force: true });
  }
}

/** The text of a file, or `undefined` when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return undefined;
    throw thrown;
  }
}

/** Makes a rename in the folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
