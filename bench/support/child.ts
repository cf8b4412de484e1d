import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A process of the benchmark: it prints `ready VALUE` when it is, then lines of its own. */
export interface BenchChild {
  pid: number;
  ready: string;
  onLine(listener: (line: string) => void): void;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<void>;
}

const children = new Set<BenchChild>();

export async function startChild(script: string, env: Record<string, string>): Promise<BenchChild> {
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../processes/${script}`, import.meta.url))], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const listeners: ((line: string) => void)[] = [];
  const ready = Promise.withResolvers<string>();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.once('exit', (code) => ready.reject(new Error(`${script} ended with ${code} before it was ready`)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('ready ')) ready.resolve(line.slice('ready '.length));
    else for (const listener of listeners) listener(line);
  });
  const bench: BenchChild = {
    pid: child.pid as number,
    ready: await ready.promise,
    onLine: (listener) => listeners.push(listener),
    kill: (signal) => void child.kill(signal),
    async stop() {
      children.delete(bench);
      child.kill('SIGTERM');
      await ended;
    },
  };
  children.add(bench);
  return bench;
}

/** For an end in the middle: nothing of ours stays. */
export async function stopChildren(): Promise<void> {
  await Promise.all([...children].map((child) => child.stop()));
}
