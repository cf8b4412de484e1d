import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { WAREHOUSE_NAME, type WarehouseAddress } from '#config/warehouses.ts';
import { ConveyorError, messageOf } from '#domain/errors.ts';
import { sleep } from '#engine/clock.ts';
import { findLeastServed } from '#engine/least-served.ts';
import type { Store } from '#engine/store.ts';
import { CommandFault, EXIT } from './faults.ts';
import { say } from './print.ts';
import type { Surroundings } from './surroundings.ts';

/*
 * The servers and drivers are imported where they are used: `--help` and everything that only talks to a gateway answers in
 * a tenth of a second instead of half of one.
 */

/** Settings that say where the databases are. */
export interface DatabaseSettings {
  warehouses: readonly WarehouseAddress[] | undefined;
  embedded: readonly string[];
  dataDir: string;
}

/** The databases that were given, else those of a `conveyor start` on the data folder that run, and the names of those that do not. */
async function findDatabases({
  warehouses,
  embedded,
  dataDir,
}: DatabaseSettings): Promise<{ found: readonly WarehouseAddress[]; missing: readonly string[] }> {
  if (warehouses) return { found: warehouses, missing: [] };
  const { findEmbedded } = await import('#embedded/server.ts');
  const found: WarehouseAddress[] = [];
  const missing: string[] = [];
  for (const name of embedded) {
    const url = await findEmbedded({ warehouse: name, dataDir: resolve(dataDir) });
    if (url === undefined) missing.push(name);
    else found.push({ name, url });
  }
  return { found, missing };
}

/** Warehouses with data in the folder that `--embedded` does not name. */
export async function findLeftOut({ dataDir, embedded }: Pick<DatabaseSettings, 'dataDir' | 'embedded'>): Promise<string[]> {
  const { findData } = await import('#embedded/place.ts');
  const entries = await readdir(resolve(dataDir), { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory() && WAREHOUSE_NAME.test(entry.name) && !embedded.includes(entry.name));
  const found = await Promise.all(
    names.map(async ({ name }) => ((await findData(resolve(dataDir), name).catch(() => undefined)) ? [name] : [])),
  );
  return found.flat();
}

/** A gateway has to know every warehouse of the cluster. */
export async function refuseLeftOut(settings: DatabaseSettings): Promise<void> {
  const leftOut = settings.warehouses ? [] : await findLeftOut(settings);
  if (leftOut.length === 0) return;
  throw new CommandFault(
    EXIT.usage,
    `--embedded names ${settings.embedded.join(', ')}, but the data folder holds ${leftOut.join(', ')} too`,
    'Name all of them: a gateway that knows fewer warehouses than the others answers 404 for their orders.',
  );
}

/** For a process that joins databases which others keep running. */
export async function requireDatabases(settings: DatabaseSettings): Promise<readonly WarehouseAddress[]> {
  const { found, missing } = await findDatabases(settings);
  if (missing.length === 0) return found;
  throw new CommandFault(
    EXIT.usage,
    found.length === 0
      ? `no database is given, and no embedded one runs in ${resolve(settings.dataDir)}`
      : `the embedded database of ${missing.join(', ')} does not run in ${resolve(settings.dataDir)}; those of ${found.map(({ name }) => name).join(', ')} do`,
    'Set CONVEYOR_WAREHOUSES="NAME=postgres://user:password@host:5432/database", or start everything on this machine with conveyor start.',
  );
}

/**
 * Calls `use` with the databases. Where none is given and none runs, the embedded ones run for the time of the call, and
 * the data folder is locked so that no `conveyor start` comes in between.
 */
export async function withDatabases<Result>(
  settings: DatabaseSettings,
  { log, clock }: Surroundings,
  use: (addresses: readonly WarehouseAddress[]) => Promise<Result>,
): Promise<Result> {
  const { found, missing } = await findDatabases(settings);
  if (found.length > 0) {
    for (const name of missing) sayMissing(name, 'it does not run');
    return await use(found);
  }
  const [{ lockDataDir }, { startEmbedded }] = await Promise.all([import('#embedded/data-dir-lock.ts'), import('#embedded/server.ts')]);
  const dataDir = resolve(settings.dataDir);
  await using cleanup = new AsyncDisposableStack();
  const lock = await lockDataDir(dataDir, { url: 'no address, a short command' });
  cleanup.defer(() => lock.release());
  say(`starting the databases of ${settings.embedded.join(', ')} for this command …`);
  const started = await Promise.allSettled(settings.embedded.map((warehouse) => startEmbedded({ warehouse, dataDir, log, clock })));
  const addresses: WarehouseAddress[] = [];
  for (const outcome of started) {
    if (outcome.status === 'rejected') continue;
    const server = outcome.value;
    cleanup.defer(() => server.stop());
    addresses.push({ name: server.warehouse, url: server.url });
  }
  for (const outcome of started) if (outcome.status === 'rejected') throw outcome.reason;
  return await use(addresses);
}

/** One warehouse of a long-running process, whether its database answers or not. */
export interface OpenWarehouse {
  name: string;
  store: Store;
  /** Why the database cannot be used yet; `undefined`: it was prepared. */
  unready: () => string | undefined;
  /** Resolves when it was prepared. */
  ready: Promise<void>;
}

export interface OpenOptions {
  liveness?: 'on' | 'off';
  /** After the schema: what else a database needs before it is used. */
  prepare: (store: Store) => Promise<void>;
  /** Ends the trying. */
  signal: AbortSignal;
}

const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 5_000;

/**
 * Opens the warehouses and prepares those that answer; the others are tried on until they do. Resolves when one is prepared.
 * Rejects for whatever does not pass by itself: a wrong password, a newer schema, another warehouse's database.
 */
export async function openWarehouses(
  addresses: readonly WarehouseAddress[],
  surroundings: Surroundings,
  options: OpenOptions,
): Promise<OpenWarehouse[]> {
  const [{ migrate }, { connectPostgresStore }] = await Promise.all([
    import('#store/postgres/migrate.ts'),
    import('#store/postgres/open.ts'),
  ]);
  const { log, clock } = surroundings;
  const opened = addresses.map(({ name, url }) => {
    const store = connectPostgresStore({ url, log, clock, liveness: options.liveness !== 'off' }, name);
    const attempt = async (): Promise<void> => {
      await migrate(url, name, log);
      await options.prepare(store);
    };
    return new Preparation(store, attempt, surroundings);
  });
  refuseEqualNumbers(opened.map(({ store }) => store));
  const first = await Promise.all(opened.map((preparation) => preparation.tryOnce()));
  const fault = first.find((outcome) => outcome !== undefined && !isPassing(outcome));
  if (fault !== undefined) {
    await Promise.all(opened.map(({ store }) => store.close()));
    throw fault;
  }
  for (const preparation of opened) void preparation.tryOn(options.signal);
  await Promise.race([Promise.any(opened.map(({ ready }) => ready)), whenAborted(options.signal)]);
  return opened;
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolveAborted) => {
    if (signal.aborted) resolveAborted();
    else signal.addEventListener('abort', () => resolveAborted(), { once: true });
  });
}

/** A database that does not answer may answer later; everything else stays wrong. */
function isPassing(error: unknown): boolean {
  return error instanceof ConveyorError && error.code === 'warehouse-unavailable';
}

class Preparation implements OpenWarehouse {
  readonly name: string;
  readonly store: Store;
  readonly ready: Promise<void>;
  private readonly attempt: () => Promise<void>;
  private readonly surroundings: Surroundings;
  private readonly done = Promise.withResolvers<void>();
  private reason: string | undefined = 'its database was not asked yet';

  constructor(store: Store, attempt: () => Promise<void>, surroundings: Surroundings) {
    this.name = store.warehouse.name;
    this.store = store;
    this.attempt = attempt;
    this.surroundings = surroundings;
    this.ready = this.done.promise;
  }

  readonly unready = (): string | undefined => this.reason;

  /** What was in the way; nothing when it is prepared. */
  async tryOnce(): Promise<unknown> {
    try {
      await this.attempt();
      this.reason = undefined;
      this.done.resolve();
      return undefined;
    } catch (error) {
      this.reason = messageOf(error);
      return error;
    }
  }

  async tryOn(signal: AbortSignal): Promise<void> {
    const { log, clock } = this.surroundings;
    for (let pauseMs = FIRST_PAUSE_MS; this.reason !== undefined && !signal.aborted; pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2)) {
      log.warn({ warehouse: this.name, reason: this.reason, retry_in_ms: pauseMs }, 'the database cannot be used yet; trying on');
      await sleep(clock, pauseMs, signal).catch(() => undefined);
      if (!signal.aborted) await this.tryOnce();
    }
  }
}

/** For a short command: the stores of the databases that answer. Rejects when none does; the caller closes them. */
export async function openAnsweringStores(addresses: readonly WarehouseAddress[], { log, clock }: Surroundings): Promise<Store[]> {
  const [{ migrate }, { openPostgresStore }] = await Promise.all([import('#store/postgres/migrate.ts'), import('#store/postgres/open.ts')]);
  const outcomes = await Promise.allSettled(
    addresses.map(async ({ name, url }) => {
      await migrate(url, name, log);
      return await openPostgresStore({ url, log, clock });
    }),
  );
  const stores = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const faults = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const fatal = faults.find((fault) => !isPassing(fault)) ?? (stores.length === 0 ? faults[0] : undefined);
  if (fatal !== undefined) {
    await Promise.all(stores.map((store) => store.close()));
    throw fatal;
  }
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') sayMissing(addresses[index]?.name ?? '?', messageOf(outcome.reason));
  }
  refuseEqualNumbers(stores);
  return stores;
}

function sayMissing(name: string, reason: string): void {
  say(`warehouse ${name} is left out: ${reason}; a gateway tells it of this when it is back`);
}

/** An order id leads to its warehouse by number; two warehouses with one number would answer for each other. */
function refuseEqualNumbers(stores: readonly Store[]): void {
  const names = new Map<number, string>();
  for (const { warehouse } of stores) {
    const other = names.get(warehouse.number);
    if (other !== undefined) {
      throw new CommandFault(
        EXIT.usage,
        `the names of the warehouses ${other} and ${warehouse.name} give the same number, ${warehouse.number}; rename one of them`,
      );
    }
    names.set(warehouse.number, warehouse.name);
  }
}

/** Of several warehouses the one with the fewest live slots. */
export async function pickLeastServed(addresses: readonly WarehouseAddress[], surroundings: Surroundings): Promise<WarehouseAddress> {
  const [only] = addresses;
  if (only && addresses.length === 1) return only;
  const stores = await openAnsweringStores(addresses, surroundings);
  try {
    const name = (await findLeastServed(stores))?.warehouse.name;
    const picked = addresses.find((address) => address.name === name);
    if (picked) return picked;
    throw new CommandFault(EXIT.failed, 'no warehouse answers');
  } finally {
    await Promise.all(stores.map((store) => store.close()));
  }
}

/** The one address with this name, or all when no name is given. */
export function pickWarehouse(addresses: readonly WarehouseAddress[], name: string | undefined): readonly WarehouseAddress[] {
  if (name === undefined) return addresses;
  const picked = addresses.filter((address) => address.name === name);
  if (picked.length > 0) return picked;
  throw new CommandFault(
    EXIT.usage,
    `--warehouse is ${JSON.stringify(name)}; allowed is one of ${addresses.map((address) => address.name).join(', ')}`,
  );
}
