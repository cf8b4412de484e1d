import type { EpochMs } from '#domain/time.ts';
import type { Role, StoredToken, TokenStore } from '#engine/store.ts';
import { type Connection, type Statement, textArrayOf } from './connect.ts';

const CREATE_TOKEN: Statement = {
  name: 'create_token',
  text: 'insert into tokens (token_id, token_hash, name, role) values ($1, $2, $3, $4)',
};

const FIND_TOKENS: Statement = {
  name: 'find_tokens',
  text: `
    select i.n, t.token_id, t.name, t.role, t.created_at, t.revoked_at
      from unnest($1::bytea[]) with ordinality as i (token_hash, n)
      join tokens t on t.token_hash = i.token_hash`,
};

const LIST_TOKENS: Statement = {
  name: 'list_tokens',
  text: 'select token_id, name, role, created_at, revoked_at from tokens order by created_at, token_id',
};

const REVOKE_TOKEN: Statement = {
  name: 'revoke_token',
  text: `
    update tokens set revoked_at = clock_timestamp()
     where (token_id::text = $1 or name = $1) and revoked_at is null
    returning token_id, name, role, created_at, revoked_at`,
};

interface TokenRow {
  token_id: string;
  name: string;
  role: Role;
  created_at: EpochMs;
  revoked_at: EpochMs | null;
}

export function tokenStore(connection: Connection): TokenStore {
  return {
    async create({ tokenId, hash, name, role }) {
      await connection.runDurably(CREATE_TOKEN, [tokenId, hash, name, role]);
    },
    async find(hashes) {
      const rows = await connection.run<TokenRow & { n: number }>(FIND_TOKENS, [
        textArrayOf(hashes.map((hash) => `\\x${hash.toString('hex')}`)),
      ]);
      const found: (StoredToken | undefined)[] = hashes.map(() => undefined);
      for (const row of rows) found[row.n - 1] = tokenOf(row);
      return found;
    },
    async list() {
      return (await connection.run<TokenRow>(LIST_TOKENS, [])).map(tokenOf);
    },
    async revoke(idOrName) {
      return (await connection.run<TokenRow>(REVOKE_TOKEN, [idOrName])).map(tokenOf);
    },
  };
}

function tokenOf(row: TokenRow): StoredToken {
  return { tokenId: row.token_id, name: row.name, role: row.role, createdAt: row.created_at, revokedAt: row.revoked_at };
}
