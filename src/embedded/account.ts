import { chown, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './execute.ts';
import { execute } from './execute.ts';
import { EmbeddedError, USE_EXISTING } from './failure.ts';

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root, so root runs it as a system user, which is made when it is missing.
 *
 * @throws EmbeddedError when there is no such user and none can be made.
 */
export async function systemAccount(name = 'postgres'): Promise<Account> {
  const found = await lookUpAccount(name);
  if (found !== undefined) return found;
  const problems: string[] = [];
  for (const [command, ...args] of waysToMake(name)) {
    const made = await execute(command, args);
    if (made.exitCode !== 0) problems.push(`${command}: ${made.stderr.trim() || `exit code ${made.exitCode}`}`);
    const account = await lookUpAccount(name);
    if (account !== undefined) return account;
  }
  throw new EmbeddedError(
    `PostgreSQL does not run as root, and the user "${name}" is missing and could not be made (${problems.join('; ')}). ` +
      `Make it with \`useradd --system ${name}\`, or start Conveyor as an ordinary user. ${USE_EXISTING}`,
  );
}

/** The account of a user name or id. */
export async function lookUpAccount(user: string | number): Promise<Account | undefined> {
  const [name, uid, gid] = await Promise.all(['-un', '-u', '-g'].map((what) => execute('id', [what, String(user)])));
  if (name?.exitCode !== 0 || uid?.exitCode !== 0 || gid?.exitCode !== 0) return undefined;
  return { name: name.stdout.trim(), uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/** Whether a folder in `folder` can be given to the account and reached by it. Asked by trying: modes alone do not tell (ACLs, mounts). */
export async function canLiveIn(folder: string, account: Account): Promise<boolean> {
  const trial = await mkdtemp(join(folder, '.trial-'));
  try {
    await chown(trial, account.uid, account.gid);
    const reached = await execute('/bin/sh', ['-c', 'cd -- "$1" && : > file', 'sh', trial], { account });
    return reached.exitCode === 0;
  } catch {
    return false;
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}

/** shadow-utils (Debian, Fedora, …) and BusyBox (Alpine). */
function waysToMake(name: string): [string, ...string[]][] {
  const home = '/var/lib/conveyor';
  return [
    ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', home, '--shell', '/usr/sbin/nologin', name],
    ['adduser', '-S', '-D', '-H', '-h', home, '-s', '/sbin/nologin', name],
  ];
}
