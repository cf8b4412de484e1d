import { realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readIfThere } from './private-file.ts';
import { commandOfProcess, startOfProcess } from './process-identity.ts';

/** A server process, known by its pid and the moment it started: pids are reused. */
export interface Postmaster {
  readonly pid: number;
  readonly processStart: string | undefined;
  readonly port: number;
}

/** The server that `postmaster.pid` names, if that process lives and is one. Whether it answers, only a probe tells. */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = (await readPidFile(data))?.split('\n') ?? [];
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  const processStart = startOfProcess(pid);
  if (processStart === undefined || !(port > 0) || !(await servesData(pid, data))) return undefined;
  return { pid, processStart, port };
}

/**
 * After a kill, and above all in a container, the pid in the file may be somebody else's by now, or that of a dead server
 * which nobody reaped; after a power cut the file may be empty. PostgreSQL then refuses to start, for ever. Without the file
 * it still refuses as long as a process of the old server has its shared memory. Called under the start lock.
 */
export async function removeStalePidFile(data: string): Promise<void> {
  const pid = Number((await readPidFile(data))?.split('\n')[0]);
  if (startOfProcess(pid) !== undefined && (await servesData(pid, data))) return;
  await rm(join(data, 'postmaster.pid'), { force: true });
}

function readPidFile(data: string): Promise<string | undefined> {
  return readIfThere(join(data, 'postmaster.pid'));
}

/** False only when it is certain: the process is no postmaster, or one of another folder. */
async function servesData(pid: number, data: string): Promise<boolean> {
  const command = commandOfProcess(pid);
  const [program] = command ?? [];
  if (command === undefined || program === undefined) return true;
  // The postmaster's children are called "postgres: walwriter" and the like.
  if (!/^(postgres|postmaster)$/.test(basename(program))) return false;
  const folder = command[command.indexOf('-D') + 1];
  if (!command.includes('-D') || folder === undefined || folder === data) return true;
  const [theirs, ours] = await Promise.all([folder, data].map((path) => realpath(path).catch(() => undefined)));
  return theirs === undefined || theirs === ours;
}
