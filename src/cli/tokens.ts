import { userInfo } from 'node:os';
import type { Command } from 'commander';
import { formatTime } from '#domain/time.ts';
import { systemClock } from '#engine/clock.ts';
import { sharedIntervention } from '#engine/intervention.ts';
import type { Role, Store, StoredToken } from '#engine/store.ts';
import { DATABASE_SETTINGS } from './compose.ts';
import { openAnsweringStores, withDatabases } from './databases.ts';
import { readSettings } from './options.ts';
import type { Column } from './print.ts';
import { openQuietSurroundings } from './surroundings.ts';

/** A token as it is shown: never the token itself, which nobody has any more. */
export interface ShownToken {
  token_id: string;
  name: string;
  role: Role;
  created_at: string;
  revoked_at: string | null;
  /** Where it is stored; a token belongs into all of them. */
  warehouses: string[];
}

export const TOKEN_COLUMNS: Column<ShownToken>[] = [
  { title: 'NAME', text: (row) => row.name },
  { title: 'ROLE', text: (row) => row.role },
  { title: 'CREATED', text: (row) => row.created_at },
  { title: 'REVOKED', text: (row) => row.revoked_at ?? '' },
  { title: 'TOKEN ID', text: (row) => row.token_id },
  { title: 'WAREHOUSES', text: (row) => row.warehouses.join(', '), wide: true },
];

/** Calls `use` with the stores of all warehouses, opened for this command. */
export async function withStores<Result>(command: Command, use: (stores: Store[]) => Promise<Result>): Promise<Result> {
  const { settings } = await readSettings(command, DATABASE_SETTINGS);
  const surroundings = openQuietSurroundings();
  return await withDatabases(settings, surroundings, async (addresses) => {
    const stores = await openAnsweringStores(addresses, surroundings);
    try {
      return await use(stores);
    } finally {
      await Promise.all(stores.map((store) => store.close()));
    }
  });
}

/** Writes down what the person at this shell did, in every warehouse. */
export async function recordEverywhere(stores: readonly Store[], action: string, target: string): Promise<void> {
  const author = { actor: `cli:${userInfo().username}`, reason: undefined };
  await Promise.all(stores.map(sharedIntervention(systemClock, { action, target, author })));
}

/** One line for each token, however many warehouses hold it. */
export function mergeTokens(byWarehouse: readonly { warehouse: string; tokens: readonly StoredToken[] }[]): ShownToken[] {
  const merged = new Map<string, ShownToken>();
  for (const { warehouse, tokens } of byWarehouse) {
    for (const token of tokens) {
      const known = merged.get(token.tokenId);
      if (known) known.warehouses.push(warehouse);
      else merged.set(token.tokenId, showToken(token, warehouse));
    }
  }
  return [...merged.values()];
}

function showToken({ tokenId, name, role, createdAt, revokedAt }: StoredToken, warehouse: string): ShownToken {
  return {
    token_id: tokenId,
    name,
    role,
    created_at: formatTime(createdAt),
    revoked_at: revokedAt === null ? null : formatTime(revokedAt),
    warehouses: [warehouse],
  };
}
