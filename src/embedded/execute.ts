import { spawn } from 'node:child_process';

/** An account of the operating system that a program runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export interface Execution {
  /** 0 when it went well; -1 when it could not be started at all or was ended by a signal. */
  readonly exitCode: number;
  readonly stdout: string;
  /** Also says why it could not be started. */
  readonly stderr: string;
}

/** What a child needs of our environment, and nothing else: our secrets are none of its business. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Runs a program to its end, as `account` if one is given. Never throws: a failure is an exit code and a text. */
export function execute(
  command: string,
  args: readonly string[],
  options: { account?: Account | undefined; input?: string } = {},
): Promise<Execution> {
  return new Promise((resolve) => {
    const who = options.account === undefined ? {} : { uid: options.account.uid, gid: options.account.gid };
    const fail = (thrown: Error): void => resolve({ exitCode: -1, stdout: '', stderr: thrown.message });
    try {
      const child = spawn(command, args, { ...who, cwd: '/', env: plainEnvironment(), stdio: 'pipe' });
      const output = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        output.stdout += chunk;
      });
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        output.stderr += chunk;
      });
      child.on('error', fail);
      child.on('close', (code) => resolve({ exitCode: code ?? -1, ...output }));
      child.stdin.on('error', () => undefined);
      child.stdin.end(options.input ?? '');
    } catch (thrown) {
      fail(thrown as Error);
    }
  });
}
