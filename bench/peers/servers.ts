import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from '../../test/support/waiting.ts';
import { cpuOf } from '../support/processes.ts';
import { waitUntil } from '../support/server.ts';
import type { Place } from './carrier.ts';

/** A server that a product brings; fresh, in a folder of its own, on ports that were free. */
export interface PeerServer {
  place: Place;
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/**
 * Every command is in its log and on the disk before it is answered:
 * https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
 */
export async function startRedis(binary: string): Promise<PeerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'conveyor-bench-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn(binary, [...args, '--appendonly', 'yes', '--appendfsync', 'always'], { stdio: 'ignore' });
  const server = owned(child, folder, { url: `redis://127.0.0.1:${port}` });
  return untilUp(server, () => answers(port));
}

/**
 * One server with its defaults, which are durable (`rocksdb-disable-wal-fsync = false`), but for the number of partitions, each
 * with a log of its own: one for two cores carried twice as many orders as the default of 24.
 * https://docs.restate.dev/references/server-config
 */
export async function startRestate(binary: string): Promise<PeerServer> {
  const folder = await mkdtemp(join(tmpdir(), 'conveyor-bench-restate-'));
  const [ingress, admin, fabric] = [await freePort(), await freePort(), await freePort()];
  const child = spawn(binary, ['--base-dir', folder, '--no-logo', '--listen-mode', 'tcp'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      RESTATE_LOG_FILTER: 'error',
      RESTATE_DISABLE_TELEMETRY: 'true',
      RESTATE_DEFAULT_NUM_PARTITIONS: String(Math.max(1, Math.floor(availableParallelism() / 2))),
      RESTATE_BIND_ADDRESS: `127.0.0.1:${fabric}`,
      RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
      RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
    },
  });
  const place = { url: `http://127.0.0.1:${ingress}`, adminUrl: `http://127.0.0.1:${admin}` };
  const isUp = (url: string): Promise<boolean> =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  return untilUp(owned(child, folder, place), async () => (await isUp(`${place.adminUrl}/health`)) && isUp(`${place.url}/restate/health`));
}

/** Where Debian's package puts it, or wherever else the path leads; undefined if it is not installed. */
export function findRedis(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** The server's binary comes as an npm package for each platform. */
export function findRestate(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`);
  } catch {
    return undefined;
  }
}

function owned(child: ChildProcess, folder: string, place: Place): PeerServer {
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    place,
    cpuSeconds: () => cpuOf(child.pid as number),
    async stop() {
      process.off('exit', kill);
      kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function untilUp(server: PeerServer, isUp: () => Promise<boolean>): Promise<PeerServer> {
  try {
    await waitUntil(isUp);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
