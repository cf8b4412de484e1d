import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { ClusterSetting, SharedRecords, WarehouseFlag } from '#engine/peer-store.ts';
import type { Store } from '#engine/store.ts';
import type { Webhook } from '#engine/webhook-store.ts';
import type { Warehouses } from './warehouses.ts';

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

/** A token revoked anywhere is revoked; of two flags the newer one counts. */
export function mergeRecords(held: readonly SharedRecords[]): SharedRecords {
  const tokens = new Map<string, SharedRecords['tokens'][number]>();
  const flags = new Map<string, WarehouseFlag>();
  const settings = new Map<string, ClusterSetting>();
  const webhooks = new Map<string, Webhook>();
  for (const records of held) {
    for (const token of records.tokens) {
      const known = tokens.get(token.tokenId);
      tokens.set(token.tokenId, known && known.revokedAt !== null ? known : token);
    }
    for (const flag of records.flags) {
      const known = flags.get(flag.name);
      if (!known || isNewer(flag, known)) flags.set(flag.name, flag);
    }
    for (const setting of records.settings) {
      const known = settings.get(setting.name);
      if (!known || isNewer(setting, known)) settings.set(setting.name, setting);
    }
    for (const webhook of records.webhooks) {
      const known = webhooks.get(webhook.id);
      if (!known || isNewer(webhook, known)) webhooks.set(webhook.id, webhook);
    }
  }
  return { tokens: [...tokens.values()], flags: [...flags.values()], settings: [...settings.values()], webhooks: [...webhooks.values()] };
}

function missingRecords(merged: SharedRecords, held: SharedRecords): SharedRecords {
  const tokens = new Map(held.tokens.map((token) => [token.tokenId, token]));
  const flags = new Map(held.flags.map((flag) => [flag.name, flag]));
  const settings = new Map(held.settings.map((setting) => [setting.name, setting]));
  const webhooks = new Map(held.webhooks.map((webhook) => [webhook.id, webhook]));
  return {
    tokens: merged.tokens.filter(({ tokenId, revokedAt }) => {
      const known = tokens.get(tokenId);
      return !known || (known.revokedAt === null && revokedAt !== null);
    }),
    flags: merged.flags.filter((flag) => {
      const known = flags.get(flag.name);
      return !known || isNewer(flag, known);
    }),
    settings: merged.settings.filter((setting) => {
      const known = settings.get(setting.name);
      return !known || isNewer(setting, known);
    }),
    webhooks: merged.webhooks.filter((webhook) => {
      const known = webhooks.get(webhook.id);
      return !known || isNewer(webhook, known);
    }),
  };
}

interface Versioned {
  version: number;
  changedAt: number;
  disabled?: boolean;
}

function isNewer(one: Versioned, other: Versioned): boolean {
  if (one.version !== other.version) return one.version > other.version;
  return one.changedAt === other.changedAt ? one.disabled === true && !other.disabled : one.changedAt > other.changedAt;
}
