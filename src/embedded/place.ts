import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import type { Log } from '#engine/log.ts';
import { canLiveIn, isRoot, lookUpAccount, systemAccount } from './account.ts';
import { POSTGRES_MAJOR } from './binaries.ts';
import type { Account } from './execute.ts';
import { codeOf, EmbeddedError } from './failure.ts';
import { writePrivate } from './private-file.ts';

/** Where one warehouse's server lives. */
export interface Place {
  /** `.conveyor/HCM`: password, port, lock and log. */
  readonly folder: string;
  /** PostgreSQL's data folder; its name carries the major version. */
  readonly data: string;
  /** Who the server runs as; ourselves if undefined. */
  readonly account: Account | undefined;
  /** Where a copy of the programs may be put that the account can reach. */
  readonly copiesFolder: string;
}

/** For data and programs that the system account cannot reach where the user put them. */
const SYSTEM_FOLDER = '/var/lib/conveyor';
const DATA_NAME = `pg${POSTGRES_MAJOR}`;
const POINTER_NAME = 'README.txt';

/** The place of a server that was started before; `undefined` when there is none. Makes nothing. */
export async function findData(dataDir: string, warehouse: string): Promise<{ folder: string; data: string } | undefined> {
  checkNames(dataDir, warehouse);
  const folder = await realpath(join(dataDir, warehouse)).catch(() => undefined);
  if (folder === undefined) return undefined;
  const data = (await readPointer(folder)) ?? join(folder, DATA_NAME);
  return (await ownerOf(data)) === undefined ? undefined : { folder, data };
}

/** The place of a warehouse's server, with its folders made. */
export async function preparePlace(dataDir: string, warehouse: string, log: Log): Promise<Place> {
  checkNames(dataDir, warehouse);
  await makeFolder(dataDir);
  const folder = join(await realpath(dataDir), warehouse);
  await makeFolder(folder);
  const data = join(folder, DATA_NAME);
  if (!isRoot()) return { folder, data, account: undefined, copiesFolder: resolve(folder, '..') };

  const pointed = await readPointer(folder);
  if (pointed !== undefined) return followPointer(folder, pointed);
  const owner = await ownerOf(data);
  // Root may start what an ordinary user made; the data stays that user's.
  const account = owner === undefined || owner === 0 ? await systemAccount() : await accountOfOwner(owner, data);
  if (await canLiveIn(folder, account)) return { folder, data, account, copiesFolder: SYSTEM_FOLDER };
  if (owner !== undefined) {
    throw new EmbeddedError(
      `The data folder ${data} cannot be reached by the user ${account.name} that PostgreSQL runs as. ` +
        `Give that user access to every folder above it (chmod o+x), or use --data-dir.`,
    );
  }
  return moveToSystemFolder(folder, warehouse, account, log);
}

function checkNames(dataDir: string, warehouse: string): void {
  if (!isAbsolute(dataDir)) throw new EmbeddedError(`The data folder must be an absolute path, but it is "${dataDir}".`);
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/.test(warehouse)) return;
  throw new EmbeddedError(
    `"${warehouse}" cannot name a warehouse with an embedded database: letters, digits, "_" and "-", at most 63, are allowed.`,
  );
}

/** What we make as root must be passable for the server's account; what is secret inside has modes of its own. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await chmod(folder, 0o755);
}

async function ownerOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).uid;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return undefined;
    throw thrown;
  }
}

async function accountOfOwner(uid: number, data: string): Promise<Account> {
  const account = await lookUpAccount(uid);
  if (account !== undefined) return account;
  throw new EmbeddedError(
    `The data folder ${data} belongs to the user id ${uid}, which this machine does not know. ` +
      `Give it to a user that exists: chown -R postgres ${data}`,
  );
}

async function moveToSystemFolder(folder: string, warehouse: string, account: Account, log: Log): Promise<Place> {
  const hash = createHash('sha256').update(resolve(folder, '..')).digest('hex').slice(0, 16);
  const parent = join(SYSTEM_FOLDER, 'data', hash, warehouse);
  await makeFolder(parent);
  // A strict umask gives the folders in between its own mode.
  for (const above of ['..', '../..', '../../..']) await chmod(resolve(parent, above), 0o755);
  const data = join(parent, DATA_NAME);
  await writePrivate(join(folder, POINTER_NAME), pointerText(data, account.name), 0o644);
  log.warn(
    { data, folder, account: account.name },
    'the data lives elsewhere: the account that PostgreSQL runs as cannot enter the data folder',
  );
  return { folder, data, account, copiesFolder: SYSTEM_FOLDER };
}

function pointerText(data: string, account: string): string {
  return `The database of this warehouse is not in this folder, because PostgreSQL runs as the user "${account}",\nwhich cannot enter it. It is here:\n\ndata: ${data}\n`;
}

async function readPointer(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, POINTER_NAME), 'utf8').catch(() => '');
  const data = /^data: (.+)$/m.exec(text)?.[1];
  // Root follows this path, so it must not lead anywhere else.
  return data !== undefined && resolve(data) === data && data.startsWith(`${SYSTEM_FOLDER}/data/`) ? data : undefined;
}

async function followPointer(folder: string, data: string): Promise<Place> {
  const parent = resolve(data, '..');
  if ((await ownerOf(parent)) === undefined) {
    throw new EmbeddedError(
      `${join(folder, POINTER_NAME)} says that the data is in ${data}, but ${parent} does not exist. ` +
        'Bring it back, or delete that file to begin with an empty database.',
    );
  }
  const owner = await ownerOf(data);
  const account = owner === undefined || owner === 0 ? await systemAccount() : await accountOfOwner(owner, data);
  return { folder, data, account, copiesFolder: SYSTEM_FOLDER };
}
