import { createHash, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Suite } from './store-conformance.ts';

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export function describeTokens(suite: Suite): void {
  describe('tokens', () => {
    const create = async (name: string, role: 'customer' | 'operator' = 'customer') => {
      const token = { tokenId: randomUUID(), hash: hashOf(randomUUID()), name, role };
      await suite.store.tokens.create(token);
      return token;
    };

    it('finds a token by the hash of its secret, and answers in the order asked', async () => {
      const name = `Ann "'{,}\\ ${randomUUID()}`;
      const [one, two] = [await create(name), await create('Bob', 'operator')];
      const found = await suite.second.tokens.find([two.hash, hashOf('nobody has this'), one.hash]);
      expect(found.map((token) => token?.tokenId)).toEqual([two.tokenId, undefined, one.tokenId]);
      expect(found[2]).toEqual({ tokenId: one.tokenId, name, role: 'customer', createdAt: expect.any(Number), revokedAt: null });
      expect(found[0]?.role).toBe('operator');
      expect(await suite.store.tokens.find([])).toEqual([]);
    });

    it('a revoked token is found and listed as such', async () => {
      const token = await create(`revoked ${randomUUID()}`);
      expect((await suite.store.tokens.revoke(token.tokenId)).map(({ tokenId }) => tokenId)).toEqual([token.tokenId]);
      expect(await suite.second.tokens.find([token.hash])).toMatchObject([{ tokenId: token.tokenId, revokedAt: expect.any(Number) }]);
      const listed = (await suite.store.tokens.list()).find(({ tokenId }) => tokenId === token.tokenId);
      expect(listed?.revokedAt).toBeGreaterThanOrEqual(listed?.createdAt ?? Number.POSITIVE_INFINITY);
      expect(await suite.store.tokens.revoke(token.tokenId)).toEqual([]);
    });

    it('a name revokes all of its tokens that are still valid', async () => {
      const name = `many ${randomUUID()}`;
      const made = [await create(name), await create(name), await create(name)];
      await suite.store.tokens.revoke(made[0]?.tokenId as string);
      const revoked = (await suite.store.tokens.revoke(name)).map(({ tokenId }) => tokenId).sort();
      expect(revoked).toEqual(
        made
          .slice(1)
          .map(({ tokenId }) => tokenId)
          .sort(),
      );
      expect(await suite.store.tokens.revoke('nobody is called so')).toEqual([]);
    });

    it('never shows a hash', async () => {
      const token = await create('quiet');
      expect(JSON.stringify(await suite.store.tokens.list())).not.toContain(token.hash.toString('hex'));
    });

    it('refuses a hash that is no SHA-256 and an id that exists', async () => {
      const token = await create('twice');
      await expect(suite.store.tokens.create({ ...token, hash: hashOf(randomUUID()) })).rejects.toThrow();
      await expect(suite.store.tokens.create({ ...token, tokenId: randomUUID() })).rejects.toThrow();
      await expect(suite.store.tokens.create({ ...token, tokenId: randomUUID(), hash: Buffer.from('short') })).rejects.toThrow();
    });
  });
}
