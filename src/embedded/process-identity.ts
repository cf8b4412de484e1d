import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { codeOf } from './failure.ts';

/**
 * Pids are reused, and a killed process that nobody reaped still has one. A process is therefore known by its pid and the moment
 * it started; a zombie counts as gone.
 */
export function startOfProcess(pid: number): string | undefined {
  if (!isSignallable(pid)) return undefined;
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

/** True while exactly this life of the process goes on. */
export function isSameProcess(pid: number, start: string | undefined): boolean {
  const now = startOfProcess(pid);
  return now !== undefined && (start === undefined || start === now);
}

/** The command line of a living process; `undefined` when it is gone or may not be seen. */
export function commandOfProcess(pid: number): string[] | undefined {
  if (startOfProcess(pid) === undefined) return undefined;
  const words = process.platform === 'linux' ? readOr(`/proc/${pid}/cmdline`, '').split('\0') : askPs(pid, 'command=').split(' ');
  const command = words.filter((word) => word !== '');
  return command.length === 0 ? undefined : command;
}

/**
 * Where pids mean something: this machine, this boot, this pid namespace. A pid that was written in another scope (before a reboot,
 * in a container) says nothing here.
 */
export const processScope: { host: string; boot: string } = {
  host: hostname(),
  boot: `${readOr('/proc/sys/kernel/random/boot_id', 'unknown').trim()}/${pidNamespace()}`,
};

function isSignallable(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    return codeOf(thrown) === 'EPERM';
  }
}

function startFromProc(pid: number): string | undefined {
  const stat = readOr(`/proc/${pid}/stat`, '');
  // The second field is the command in brackets and may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state] = fields;
  return state === undefined || state === 'Z' || state === 'X' ? undefined : fields[19];
}

function startFromPs(pid: number): string | undefined {
  const line = askPs(pid, 'stat=,lstart=');
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}

function askPs(pid: number, columns: string): string {
  try {
    return execFileSync('ps', ['-ww', '-o', columns, '-p', String(pid)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return 'pid';
  }
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
