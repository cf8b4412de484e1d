import { ConveyorError, messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { SharedRecords } from '#engine/peer-store.ts';
import type { Store } from '#engine/store.ts';
import { isNewer, newestOfEach, type Versioned } from '#engine/versioned.ts';
import type { Warehouse, Warehouses } from './warehouses.ts';

/**
 * What belongs to the whole cluster (tokens, flags) is kept in every warehouse, so that with any one away sign-in and
 * administration go on. Whoever comes back is brought up to date, and brings what only it has.
 */
export async function shareRecords(stores: readonly Store[]): Promise<void> {
  if (stores.length < 2) return;
  const held = await Promise.all(stores.map((store) => store.peers.exportShared()));
  const merged = mergeRecords(held);
  await Promise.all(
    stores.map(async (store, index) => {
      const missing = missingRecords(merged, held[index] as SharedRecords);
      if (Object.values(missing).some((records: unknown[]) => records.length > 0)) await store.peers.importShared(missing);
    }),
  );
}

const SHARE_EVERY_MS = 60_000;

/** Shares now, and then regularly: two that came back at the same moment did not see each other. Ends with the signal. */
export async function keepSharing(warehouses: Warehouses, clock: Clock, log: Log, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await shareRecords(warehouses.here.map(({ store }) => store)).catch((error: unknown) =>
      log.warn({ error: messageOf(error) }, 'tokens and flags could not be compared between warehouses; trying again'),
    );
    await sleep(clock, SHARE_EVERY_MS, signal).catch(() => undefined);
  }
}

/** Nothing; a record of it says what it changes. */
export const NO_RECORDS: SharedRecords = { tokens: [], flags: [], settings: [], webhooks: [] };

/** Done in every warehouse that answers; the others learn of it when they are back. Fails where it was done in none. */
export async function writeEverywhere({ here }: Warehouses, write: (warehouse: Warehouse) => Promise<void>): Promise<void> {
  const written = await Promise.allSettled(here.map(write));
  if (!written.some(({ status }) => status === 'fulfilled'))
    throw new ConveyorError('warehouse-unavailable', 'no warehouse answers, so nothing could be written down');
}

const nameOf = ({ name }: { name: string }): string => name;
const idOf = ({ id }: { id: string }): string => id;

/** A token revoked anywhere is revoked; of everything else the newest copy counts. */
export function mergeRecords(held: readonly SharedRecords[]): SharedRecords {
  const tokens = new Map<string, SharedRecords['tokens'][number]>();
  for (const token of held.flatMap((records) => records.tokens)) {
    const known = tokens.get(token.tokenId);
    if (!known || known.revokedAt === null) tokens.set(token.tokenId, token);
  }
  const flags = held.flatMap((records) => records.flags);
  const settings = held.flatMap((records) => records.settings);
  const webhooks = held.flatMap((records) => records.webhooks);
  return {
    tokens: [...tokens.values()],
    flags: newestOfEach(flags, nameOf),
    settings: newestOfEach(settings, nameOf),
    webhooks: newestOfEach(webhooks, idOf),
  };
}

function missingRecords(merged: SharedRecords, held: SharedRecords): SharedRecords {
  const tokens = new Map(held.tokens.map((token) => [token.tokenId, token]));
  return {
    tokens: merged.tokens.filter(({ tokenId, revokedAt }) => {
      const known = tokens.get(tokenId);
      return !known || (known.revokedAt === null && revokedAt !== null);
    }),
    flags: newerThan(held.flags, merged.flags, nameOf),
    settings: newerThan(held.settings, merged.settings, nameOf),
    webhooks: newerThan(held.webhooks, merged.webhooks, idOf),
  };
}

function newerThan<Copy extends Versioned>(held: readonly Copy[], records: readonly Copy[], keyOf: (record: Copy) => string): Copy[] {
  const known = new Map(held.map((copy) => [keyOf(copy), copy]));
  return records.filter((record) => {
    const own = known.get(keyOf(record));
    return !own || isNewer(record, own);
  });
}
