import type { Json } from '#domain/json.ts';
import { type EpochMs, formatTime } from '#domain/time.ts';
import type { ClusterSetting, SharedRecords, WarehouseFlag } from '#engine/peer-store.ts';
import type { Role } from '#engine/store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';
import { importWebhooks, listWebhooks } from './webhooks.ts';

/** What belongs to the whole cluster and is kept in every warehouse: carried from one to another after an outage. */

const EXPORT_TOKENS: Statement = {
  name: 'export_tokens',
  text: 'select token_hash, token_id, name, role, created_at, revoked_at from tokens',
};

const EXPORT_FLAGS: Statement = {
  name: 'export_flags',
  text: 'select name, disabled, version, changed_at, changed_by, reason from warehouse_flags',
};

const EXPORT_SETTINGS: Statement = {
  name: 'export_settings',
  text: 'select name, value, version, changed_at, changed_by from cluster_settings',
};

const IMPORT_SETTINGS: Statement = {
  name: 'import_settings',
  text: `
    insert into cluster_settings as s (name, value, version, changed_at, changed_by)
    select * from unnest($1::text[], $2::jsonb[], $3::bigint[], $4::timestamptz[], $5::text[])
    on conflict (name) do update
       set value = excluded.value, version = excluded.version, changed_at = excluded.changed_at, changed_by = excluded.changed_by
     where (s.version, s.changed_at) < (excluded.version, excluded.changed_at)`,
};

/** A token that was revoked anywhere is revoked everywhere. */
const IMPORT_TOKENS: Statement = {
  name: 'import_tokens',
  text: `
    insert into tokens as t (token_hash, token_id, name, role, created_at, revoked_at)
    select * from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
    on conflict (token_hash) do update set revoked_at = coalesce(t.revoked_at, excluded.revoked_at)
     where t.revoked_at is null and excluded.revoked_at is not null`,
};

/** Two changes of the same version were made in two places at once: the later one is right, and disabled when in doubt. */
const IMPORT_FLAGS: Statement = {
  name: 'import_flags',
  text: `
    insert into warehouse_flags as f (name, disabled, version, changed_at, changed_by, reason)
    select * from unnest($1::text[], $2::boolean[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[])
    on conflict (name) do update
       set disabled = excluded.disabled, version = excluded.version, changed_at = excluded.changed_at,
           changed_by = excluded.changed_by, reason = excluded.reason
     where (f.version, f.changed_at, f.disabled) < (excluded.version, excluded.changed_at, excluded.disabled)`,
};

interface TokenRow {
  token_hash: Buffer;
  token_id: string;
  name: string;
  role: Role;
  created_at: EpochMs;
  revoked_at: EpochMs | null;
}

export interface FlagRow {
  name: string;
  disabled: boolean;
  version: number;
  changed_at: EpochMs;
  changed_by: string;
  reason: string | null;
}

export interface SettingRow {
  name: string;
  value: Json;
  version: number;
  changed_at: EpochMs;
  changed_by: string;
}

export async function exportShared(connection: Connection): Promise<SharedRecords> {
  const tokens = await connection.run<TokenRow>(EXPORT_TOKENS, []);
  const flags = await connection.run<FlagRow>(EXPORT_FLAGS, []);
  const settings = await connection.run<SettingRow>(EXPORT_SETTINGS, []);
  const webhooks = await listWebhooks(connection);
  return {
    webhooks,
    tokens: tokens.map((row) => ({
      hash: row.token_hash,
      tokenId: row.token_id,
      name: row.name,
      role: row.role,
      createdAt: row.created_at,
      revokedAt: row.revoked_at,
    })),
    flags: flags.map(flagOf),
    settings: settings.map(settingOf),
  };
}

export function flagOf({ name, disabled, version, changed_at, changed_by, reason }: FlagRow): WarehouseFlag {
  return { name, disabled, version, changedAt: changed_at, changedBy: changed_by, reason };
}

export function settingOf({ name, value, version, changed_at, changed_by }: SettingRow): ClusterSetting {
  return { name, value, version, changedAt: changed_at, changedBy: changed_by };
}

export async function importShared(connection: Connection, { tokens, flags, settings, webhooks }: SharedRecords): Promise<void> {
  if (tokens.length > 0) {
    await connection.runDurably(IMPORT_TOKENS, [
      textArrayOf(tokens.map(({ hash }) => `\\x${hash.toString('hex')}`)),
      arrayOf(tokens.map(({ tokenId }) => tokenId)),
      textArrayOf(tokens.map(({ name }) => name)),
      arrayOf(tokens.map(({ role }) => role)),
      textArrayOf(tokens.map(({ createdAt }) => formatTime(createdAt))),
      textArrayOf(tokens.map(({ revokedAt }) => (revokedAt === null ? null : formatTime(revokedAt)))),
    ]);
  }
  if (settings.length > 0) await importSettings(connection, settings);
  if (webhooks.length > 0) await importWebhooks(connection, webhooks);
  if (flags.length > 0) {
    await connection.runDurably(IMPORT_FLAGS, [
      textArrayOf(flags.map(({ name }) => name)),
      arrayOf(flags.map(({ disabled }) => disabled)),
      arrayOf(flags.map(({ version }) => version)),
      textArrayOf(flags.map(({ changedAt }) => formatTime(changedAt))),
      textArrayOf(flags.map(({ changedBy }) => changedBy)),
      textArrayOf(flags.map(({ reason }) => reason)),
    ]);
  }
}

async function importSettings(connection: Connection, settings: SharedRecords['settings']): Promise<void> {
  await connection.runDurably(IMPORT_SETTINGS, [
    textArrayOf(settings.map(({ name }) => name)),
    textArrayOf(settings.map(({ value }) => JSON.stringify(value))),
    arrayOf(settings.map(({ version }) => version)),
    textArrayOf(settings.map(({ changedAt }) => formatTime(changedAt))),
    textArrayOf(settings.map(({ changedBy }) => changedBy)),
  ]);
}
