import { resolve } from 'node:path';
import { DEFAULT_WAREHOUSES, type WarehouseAddress } from '#config/warehouses.ts';
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
  dataDir: string;
}

/** The databases that were given, else those of a `conveyor start` that runs on the data folder; `undefined` where neither is. */
async function findDatabases({ warehouses, dataDir }: DatabaseSettings): Promise<readonly WarehouseAddress[] | undefined> {
  if (warehouses) return warehouses;
  const { findEmbedded } = await import('#embedded/server.ts');
  const found: WarehouseAddress[] = [];
  for (const name of DEFAULT_WAREHOUSES) {
    const url = await findEmbedded({ warehouse: name, dataDir: resolve(dataDir) });
    if (url === undefined) return undefined;
    found.push({ name, url });
  }
  return found;
}

/** For a process that joins databases which others keep running. */
export async function requireDatabases(settings: DatabaseSettings): Promise<readonly WarehouseAddress[]> {
  const found = await findDatabases(settings);
  if (found) return found;
  throw new CommandFault(
    EXIT.usage,
    `no database is given, and no embedded one runs in ${resolve(settings.dataDir)}`,
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
  const found = await findDatabases(settings);
  if (found) return await use(found);
  const [{ lockDataDir }, { startEmbedded }] = await Promise.all([import('#embedded/data-dir-lock.ts'), import('#embedded/server.ts')]);
  const dataDir = resolve(settings.dataDir);
  await using cleanup = new AsyncDisposableStack();
  const lock = await lockDataDir(dataDir, { url: 'no address, a short command' });
  cleanup.defer(() => lock.release());
  const addresses: WarehouseAddress[] = [];
  for (const name of DEFAULT_WAREHOUSES) {
    say(`starting the database of warehouse ${name} for this command …`);
    const server = await startEmbedded({ warehouse: name, dataDir, log, clock });
    cleanup.defer(() => server.stop());
    addresses.push({ name, url: server.url });
  }
  return await use(addresses);
}

/** Migrates the databases and opens their stores, in the order of the addresses; the caller closes them. */
export async function openStores(
  addresses: readonly WarehouseAddress[],
  { log, clock }: Surroundings,
  { liveness }: { liveness: 'on' | 'off' } = { liveness: 'on' },
): Promise<Store[]> {
  const [{ migrate }, { openPostgresStore }] = await Promise.all([import('#store/postgres/migrate.ts'), import('#store/postgres/open.ts')]);
  const stores: Store[] = [];
  try {
    for (const { name, url } of addresses) {
      await migrate(url, name, log);
      stores.push(await openPostgresStore({ url, log, clock, liveness: liveness === 'on' }));
    }
    refuseEqualNumbers(stores);
    return stores;
  } catch (error) {
    await Promise.all(stores.map((store) => store.close()));
    throw error;
  }
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
  const stores = await openStores(addresses, surroundings);
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
