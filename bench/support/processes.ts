import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** What the kernel knows of processes; all of it is 0 where there is no /proc. */

const TICKS_PER_SECOND = 100;

/** User and system seconds of one process; with those of its ended children if asked. */
export function cpuOf(pid: number, withChildren = false): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [own, children] = [(fields[11] ?? 0) + (fields[12] ?? 0), (fields[13] ?? 0) + (fields[14] ?? 0)];
    return (own + (withChildren ? children : 0)) / TICKS_PER_SECOND;
  } catch {
    return 0;
  }
}

/** The same of a process, its children and those that ended. */
export function cpuOfTree(root: number): number {
  let seconds = cpuOf(root, true);
  try {
    for (const name of readdirSync('/proc')) {
      if (/^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(root))
        seconds += cpuOf(Number(name));
    }
  } catch {
    // A process ended while we looked, or there is no /proc.
  }
  return seconds;
}

/** How much of the machine's CPU is in use during the next second, from 0 to 1. Before something is measured it is others' work. */
export async function measureBusyShare(): Promise<number> {
  const read = (): { busy: number; all: number } => {
    const times = cpus().map((core) => core.times);
    const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
    return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all };
  };
  const before = read();
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const after = read();
  return (after.busy - before.busy) / (after.all - before.all);
}

/** This process's own. */
export function ownCpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Memory of a process in MB: what it has now, and the most it ever had. */
export function memoryOf(pid: number): { nowMb: number; mostMb: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return { nowMb: kilobytes('VmRSS') / 1_024, mostMb: kilobytes('VmHWM') / 1_024 };
  } catch {
    return { nowMb: 0, mostMb: 0 };
  }
}
