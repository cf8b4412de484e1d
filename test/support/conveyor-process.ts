import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/conveyor.js', import.meta.url));

export interface Ended {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

/** A `conveyor` command as a process of its own. */
export interface ConveyorProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What a pattern finds in standard output or standard error, as soon as it stands there; rejects when the process ends without. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** The lines that it wrote so far and that hold the text. */
  linesWith(text: string): string[];
  kill(signal: NodeJS.Signals): void;
}

/** Starts the command line in a folder, without the settings of whoever runs the tests. */
export function startConveyor(args: readonly string[], options: { cwd: string; env?: Record<string, string> }): ConveyorProcess {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONVEYOR_')));
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: options.cwd,
    env: { ...inherited, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  const watchers = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      output[name] += chunk;
      for (const watch of watchers) watch();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, ...output }));
  });
  return {
    pid: child.pid as number,
    ended,
    kill: (signal) => void child.kill(signal),
    linesWith: (text) => `${output.stdout}\n${output.stderr}`.split('\n').filter((line) => line.includes(text)),
    waitFor(pattern) {
      return new Promise((resolve, reject) => {
        const watch = (): void => {
          const found = pattern.exec(output.stdout) ?? pattern.exec(output.stderr);
          if (!found) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        const giveUp = (): void =>
          reject(new Error(`conveyor ${args.join(' ')} ended without ${pattern}:\n${output.stdout}${output.stderr}`));
        ended.then(giveUp, reject);
      });
    },
  };
}

/** Runs a command to its end. */
export function runConveyor(args: readonly string[], options: { cwd: string; env?: Record<string, string> }): Promise<Ended> {
  return startConveyor(args, options).ended;
}
