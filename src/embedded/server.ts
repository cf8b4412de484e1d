import { isAbsolute, join } from 'node:path';
import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep, type Timer } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { findBinaries } from './binaries.ts';
import { prepareData } from './data-folder.ts';
import { EmbeddedError } from './failure.ts';
import { type FolderLock, isLock, tryFolderLock } from './folder-lock.ts';
import { databaseUrl, readPassword } from './password.ts';
import { findPostmaster, type Postmaster, removeStalePidFile } from './pid-file.ts';
import { findData, type Place, preparePlace } from './place.ts';
import { choosePort } from './port.ts';
import { isAlive, readLogTail, spawnPostmaster, stopPostmaster, waitUntilReady } from './postmaster.ts';
import { probe } from './probe.ts';
import { commandOfProcess } from './process-identity.ts';
import { listenAddresses, postmasterArguments, writeAccessRules } from './settings.ts';

export interface EmbeddedOptions {
  warehouse: string;
  /** Absolute; the server lives in a folder of it named like the warehouse. */
  dataDir: string;
  log: Log;
  clock: Clock;
  /** Beyond loopback only when asked for. */
  listenHost?: string;
  /** Server settings on top of ours. */
  settings?: Readonly<Record<string, string>>;
  /** Where the platform's package is, if not in node_modules. */
  packageFolder?: string;
}

/** A PostgreSQL server on this machine, kept up until stopped. */
export interface EmbeddedServer {
  readonly warehouse: string;
  /** With the password: not for logs. */
  readonly url: string;
  /** PostgreSQL's data folder. */
  readonly dataDir: string;
  readonly pid: number;
  /** It ran already: a start before this one was killed and left it. */
  readonly reused: boolean;
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
}

const LOCK_TIMEOUT_MS = 180_000;
const WATCH_EVERY_MS = 500;
const MAX_STARTS = 5;
const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;

/**
 * Starts the server of a warehouse, or uses the one that runs on its data already. Any number of processes may call this
 * at once: one starts, the others find it running. A server that dies is started again.
 *
 * @throws EmbeddedError saying what is in the way.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const place = await preparePlace(options.dataDir, options.warehouse, options.log);
  const up = await bringUp(place, options);
  return new RunningServer(place, options, up);
}

/** The address of a server that runs on this data already. */
export async function findEmbedded({ warehouse, dataDir }: { warehouse: string; dataDir: string }): Promise<string | undefined> {
  if (!isAbsolute(dataDir)) return undefined;
  const found = await findData(dataDir, warehouse);
  const postmaster = found && (await findPostmaster(found.data));
  const password = found && (await readPassword(found.folder));
  if (!postmaster || !password) return undefined;
  const url = databaseUrl(password, postmaster.port);
  return (await probe(url)) === 'ready' ? url : undefined;
}

interface Up {
  postmaster: Postmaster;
  url: string;
  reused: boolean;
}

/** Under the lock of the server's folder: no two processes look and start at once. */
async function bringUp(place: Place, options: EmbeddedOptions, keptPort?: number): Promise<Up> {
  const lock = await takeLock(place, options.clock);
  try {
    return (await reuse(place, options)) ?? (await start(place, options, keptPort));
  } finally {
    await lock.release();
  }
}

async function takeLock(place: Place, clock: Clock): Promise<FolderLock> {
  const end = clock.monotonic() + LOCK_TIMEOUT_MS;
  for (;;) {
    const result = await tryFolderLock(join(place.folder, 'start.lock'), '', clock);
    if (isLock(result)) return result;
    if (clock.monotonic() > end) {
      throw new EmbeddedError(
        `Process ${result.pid} has been starting the PostgreSQL server in ${place.folder} since ${result.since} and does not end; stop it.`,
      );
    }
    await sleep(clock, 50);
  }
}

async function reuse(place: Place, { clock, listenHost, log }: EmbeddedOptions): Promise<Up | undefined> {
  const postmaster = await findPostmaster(place.data);
  if (!postmaster) return undefined;
  const password = await readPassword(place.folder);
  if (!password || !listensOn(postmaster, hostsOf(listenHost))) {
    log.warn({ pid: postmaster.pid }, 'the PostgreSQL server that runs has no password here or listens elsewhere; starting it anew');
    await stopPostmaster(postmaster, 'fast', clock);
    return undefined;
  }
  if ((await waitUntilReady(postmaster, place, password, clock)) === 'gone') return undefined;
  log.info({ pid: postmaster.pid }, 'using the PostgreSQL server that runs already');
  return { postmaster, url: databaseUrl(password, postmaster.port), reused: true };
}

/** Believed when its command line cannot be seen. */
function listensOn(postmaster: Postmaster, hosts: readonly string[]): boolean {
  const command = commandOfProcess(postmaster.pid);
  return command === undefined || command.includes(`listen_addresses=${hosts.join(',')}`);
}

function hostsOf(listenHost = '127.0.0.1'): string[] {
  return listenAddresses(listenHost);
}

/** `keptPort`: those who use the server know it by this port already. */
async function start(place: Place, options: EmbeddedOptions, keptPort?: number): Promise<Up> {
  const { clock, log } = options;
  const { account, copiesFolder } = place;
  const binaries = await findBinaries({ account, copiesFolder, log, packageFolder: options.packageFolder });
  await removeStalePidFile(place.data);
  const password = await prepareData(place, binaries, log);
  const hosts = hostsOf(options.listenHost);
  await writeAccessRules(place.data, hosts, account);
  for (let starts = 1; ; starts += 1) {
    const port = keptPort ?? (await choosePort(place.folder, hosts));
    const args = postmasterArguments(place.data, port, hosts, options.settings ?? {});
    const postmaster = await spawnPostmaster(place, binaries, args, port);
    if ((await waitUntilReady(postmaster, place, password, clock)) === 'ready')
      return { postmaster, url: databaseUrl(password, port), reused: false };
    // The children of a server that was killed hold its memory for a moment longer; or the port was taken meanwhile.
    if (starts >= MAX_STARTS) throw new EmbeddedError(`The PostgreSQL server in ${place.data} does not start: ${await readLogTail(place)}`);
    await sleep(clock, FIRST_BACKOFF_MS);
  }
}

class RunningServer implements EmbeddedServer {
  readonly warehouse: string;
  readonly dataDir: string;
  readonly reused: boolean;
  private readonly place: Place;
  private readonly options: EmbeddedOptions;
  private up: Up;
  private timer: Timer | undefined;
  private restarting: Promise<void> | undefined;
  private stopped = false;
  private backoffMs = FIRST_BACKOFF_MS;

  constructor(place: Place, options: EmbeddedOptions, up: Up) {
    this.place = place;
    this.options = options;
    this.warehouse = options.warehouse;
    this.dataDir = place.data;
    this.reused = up.reused;
    this.up = up;
    this.watchAfter(WATCH_EVERY_MS);
  }

  get url(): string {
    return this.up.url;
  }

  get pid(): number {
    return this.up.postmaster.pid;
  }

  async stop(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    this.stopped = true;
    this.timer?.cancel();
    await this.restarting;
    await stopPostmaster(this.up.postmaster, mode, this.options.clock);
  }

  /** Looks at the process itself: an adopted server is no child of ours and sends no signal when it ends. */
  private watchAfter(delayMs: number): void {
    if (this.stopped) return;
    this.timer = this.options.clock.after(delayMs, () => {
      if (isAlive(this.up.postmaster)) return this.watchAfter(WATCH_EVERY_MS);
      this.restarting = this.restart();
    });
  }

  private async restart(): Promise<void> {
    const { log, warehouse } = this.options;
    log.error({ warehouse, pid: this.pid }, 'the PostgreSQL server ended; starting it again');
    try {
      this.up = await bringUp(this.place, this.options, this.up.postmaster.port);
      this.backoffMs = FIRST_BACKOFF_MS;
      log.info({ warehouse, pid: this.pid }, 'the PostgreSQL server is up again');
    } catch (error) {
      this.backoffMs = Math.min(MAX_BACKOFF_MS, this.backoffMs * 2);
      log.error(
        { warehouse, error: messageOf(error), retry_in_ms: this.backoffMs },
        'the PostgreSQL server could not be started; trying again',
      );
    }
    this.watchAfter(this.backoffMs);
  }
}
