import { randomUUID } from 'node:crypto';
import { chmod, chown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Log } from '#engine/log.ts';
import type { Binaries } from './binaries.ts';
import { execute } from './execute.ts';
import { codeOf, EmbeddedError } from './failure.ts';
import { keepPassword, makePassword, readPassword } from './password.ts';
import type { Place } from './place.ts';
import { syncFolder, writePrivate } from './private-file.ts';

/**
 * Makes the data folder when there is none: in a temporary folder first, which gets its name only when it is complete.
 * Called under the start lock. Gives the password of the role `conveyor`.
 */
export async function prepareData(place: Place, binaries: Binaries, log: Log): Promise<string> {
  await removeLeftovers(place);
  if (!(await isThere(place.data))) return initialise(place, binaries, log);
  await mendOwnership(place);
  return (await readPassword(place.folder)) ?? resetPassword(place, binaries, log);
}

async function initialise(place: Place, binaries: Binaries, log: Log): Promise<string> {
  const staging = `${place.data}.new-${randomUUID()}`;
  const passwordFile = `${staging}-password`;
  // The password is kept before the data that needs it exists.
  const password = (await readPassword(place.folder)) ?? makePassword();
  await keepPassword(place.folder, password);
  log.info({ data: place.data, account: place.account?.name }, 'making a new PostgreSQL data folder');
  try {
    await mkdir(staging, { mode: 0o700 });
    if (place.account !== undefined) await chown(staging, place.account.uid, place.account.gid);
    await writePrivate(passwordFile, `${password}\n`, 0o600, place.account);
    const made = await execute(binaries.initdb, initdbArguments(staging, passwordFile), { account: place.account });
    if (made.exitCode !== 0) {
      throw new EmbeddedError(
        `initdb could not make the data folder ${place.data} (exit code ${made.exitCode}): ${made.stderr.trim() || made.stdout.trim()}`,
      );
    }
    await rename(staging, place.data);
    await syncFolder(dirname(place.data));
  } finally {
    await rm(passwordFile, { force: true });
    await rm(staging, { recursive: true, force: true });
  }
  return password;
}

function initdbArguments(data: string, passwordFile: string): string[] {
  const account = ['--username=conveyor', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  return ['-D', data, ...account, '--encoding=UTF8', '--locale=C', '--no-instructions'];
}

/** Of starts that were killed; we hold the lock, so nobody works in them. */
async function removeLeftovers(place: Place): Promise<void> {
  const parent = dirname(place.data);
  const prefix = `${basename(place.data)}.new-`;
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  }
}

/** A folder that root copied or restored belongs to root, or is open to others; PostgreSQL refuses both. */
async function mendOwnership(place: Place): Promise<void> {
  const { uid, mode } = await stat(place.data);
  if (place.account !== undefined && uid !== place.account.uid) {
    const given = await execute('chown', ['-R', `${place.account.uid}:${place.account.gid}`, place.data]);
    if (given.exitCode !== 0) throw new EmbeddedError(`${place.data} cannot be given to ${place.account.name}: ${given.stderr.trim()}`);
  }
  const ownUid = process.getuid?.();
  if (place.account === undefined && uid !== ownUid) {
    throw new EmbeddedError(
      `The data folder ${place.data} belongs to the user id ${uid}, but Conveyor runs as ${ownUid}. ` +
        'Start it as that user or as root, or use --data-dir for a folder of your own.',
    );
  }
  if ((mode & 0o077) !== 0) await chmod(place.data, 0o700);
}

/** The password's file is gone: the owner of the data may set a new one, in single-user mode, where nobody logs in. */
async function resetPassword(place: Place, binaries: Binaries, log: Log): Promise<string> {
  log.warn({ folder: place.folder }, 'the password file is missing; the role conveyor gets a new password');
  const password = makePassword();
  const set = await execute(binaries.postgres, ['--single', '-D', place.data, 'postgres'], {
    account: place.account,
    input: `alter role conveyor password '${password}'\n`,
  });
  // Kept only when it is set: a start that is killed in between finds no file and sets another one.
  if (set.exitCode === 0 && !set.stderr.includes('ERROR:')) {
    await keepPassword(place.folder, password);
    return password;
  }
  throw new EmbeddedError(
    `The password of the role conveyor in ${place.data} could not be set anew: ${set.stderr.replaceAll(password, '***').trim()}`,
  );
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return false;
    throw thrown;
  }
}
