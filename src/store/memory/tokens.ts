import type { StoredToken, TokenStore } from '#engine/store.ts';
import { copyOf, type MemoryDatabase } from './database.ts';

const HASH_BYTES = 32;

/** Access tokens by the hexadecimal form of their hash. */
export function tokenStore(db: MemoryDatabase): TokenStore {
  const tokens = (): StoredToken[] => [...db.tokens.values()].sort((a, b) => a.createdAt - b.createdAt || (a.tokenId < b.tokenId ? -1 : 1));
  return {
    async create({ tokenId, hash, name, role }) {
      if (hash.length !== HASH_BYTES) throw new Error(`the hash of token ${name} has ${hash.length} bytes; ${HASH_BYTES} are expected`);
      const key = hash.toString('hex');
      if (db.tokens.has(key) || tokens().some((token) => token.tokenId === tokenId))
        throw new Error(`token ${tokenId} exists already; every token needs an id and a secret of its own`);
      db.tokens.set(key, { tokenId, name, role, createdAt: db.clock.now(), revokedAt: null });
    },
    async find(hashes) {
      return hashes.map((hash) => {
        const token = db.tokens.get(hash.toString('hex'));
        return token && copyOf(token);
      });
    },
    async list() {
      return copyOf(tokens());
    },
    async revoke(idOrName) {
      const revoked = tokens().filter((token) => token.revokedAt === null && (token.tokenId === idOrName || token.name === idOrName));
      for (const token of revoked) token.revokedAt = db.clock.now();
      return copyOf(revoked);
    },
  };
}
