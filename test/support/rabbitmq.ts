import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { openFolder } from './folders.ts';
import { freePort, waitUntil } from './waiting.ts';

/** The server itself; the script in the path changes its user first. */
const SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** Whether Debian's package `rabbitmq-server` is here. */
export const hasRabbit: boolean = existsSync(SERVER);
if (!hasRabbit) console.warn('rabbitmq-server is not installed: the tests of messages are left out');

/** A broker of the test's own, on free ports, with its own folder. */
export interface TestBroker {
  url: string;
  /** Hard, as a machine that loses power; what was confirmed as persistent is there again after the next start. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestBroker(): Promise<TestBroker> {
  const folder = await openFolder('conveyor-rabbit-');
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  await mkdir(join(folder, 'home'));
  await writeFile(join(folder, 'plugins'), '[].\n');
  await writeFile(join(folder, 'rabbit.conf'), 'loopback_users = none\nlog.console = false\ndisk_free_limit.absolute = 50MB\n');
  const env = {
    ...process.env,
    HOME: join(folder, 'home'),
    RABBITMQ_NODENAME: `conveyor-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbit'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
  };
  let server: ChildProcess | undefined;
  const broker: TestBroker = {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    async start() {
      // In a group of its own: the script, the server, and whatever it starts end together.
      server = spawn(SERVER, [], { env, stdio: 'ignore', detached: true });
      await waitUntil('the broker to accept connections', () => accepts(port), 60_000);
    },
    async kill() {
      if (!server || server.exitCode !== null || server.signalCode !== null) return;
      const exited = once(server, 'exit');
      process.kill(-(server.pid as number), 'SIGKILL');
      await exited;
      await waitUntil('the broker to be gone', async () => !(await accepts(port)));
    },
    async close() {
      await broker.kill();
      await endEpmd(epmdPort);
      await rm(folder, { recursive: true, force: true });
    },
  };
  await broker.start();
  return broker;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Erlang's port mapper leaves its group; it ends when it is asked to and knows no node any more. */
async function endEpmd(port: number): Promise<void> {
  const child = spawn('epmd', ['-port', String(port), '-kill'], { stdio: 'ignore' });
  await Promise.race([once(child, 'exit'), once(child, 'error')]);
}
