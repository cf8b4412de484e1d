import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Webhook } from '#engine/webhook-store.ts';
import type { Suite } from './store-conformance.ts';

export function describeWebhooks(suite: Suite): void {
  const webhook = (changes: Partial<Webhook> = {}): Webhook => ({
    ...{
      id: randomUUID(),
      customerId: 'user',
      url: 'https://example.com/"x"',
      kinds: ['completed', 'failed'],
      secret: 'c2VjcmV0',
      enabled: true,
    },
    ...{ disabledBecause: null, deleted: false, createdAt: 1_800_000_000_000, version: 1, changedAt: 1_800_000_000_000 },
    ...changes,
  });
  const save = (hook: Webhook): Promise<void> => suite.store.peers.importShared({ tokens: [], flags: [], settings: [], webhooks: [hook] });
  const delivery = (webhookId: string, orderId: string, version: number) => ({
    webhookId,
    orderId,
    version,
    body: { type: `v${version}` },
  });
  const take = async (webhookId: string, free = 10, holdMs = 60_000) =>
    (await suite.store.webhooks.takeDue([{ webhookId, free }], holdMs)).map(({ version }) => version);

  describe('webhooks', () => {
    it('are kept as they are; the higher version wins', async () => {
      const first = webhook();
      await save(first);
      await save(webhook({ ...first, version: 3, enabled: false, disabledBecause: 'gone', kinds: ['accepted'] }));
      await save(webhook({ id: first.id, version: 2 }));
      const found = (await suite.second.webhooks.list()).find(({ id }) => id === first.id);
      expect(found).toEqual({ ...first, version: 3, enabled: false, disabledBecause: 'gone', kinds: ['accepted'] });
      expect((await suite.store.peers.exportShared()).webhooks).toContainEqual(found);
    });

    it('deliveries are planned once; those of an order come one after the other, those of others meanwhile', async () => {
      const [hook, one, two] = [randomUUID(), randomUUID(), randomUUID()];
      await suite.store.webhooks.plan([delivery(hook, one, 1), delivery(hook, one, 3), delivery(hook, two, 2)]);
      await suite.second.webhooks.plan([delivery(hook, one, 1), delivery(hook, one, 5)]);
      expect((await suite.store.webhooks.listDeliveries({ webhookId: hook, limit: 10 })).map(({ version }) => version).sort()).toEqual([
        1, 2, 3, 5,
      ]);
      const taken = await suite.store.webhooks.takeDue([{ webhookId: hook, free: 10 }], 60_000);
      expect(taken.map(({ orderId, version }) => `${orderId} ${version}`).sort()).toEqual([`${one} 1`, `${two} 2`].sort());
      expect(taken[0]).toMatchObject({ state: 'waiting', attempts: 0, lastAt: null, body: { type: expect.stringMatching(/^v/) } });
      // Held by whoever took them; the next of the order waits for the one before.
      expect(await take(hook)).toEqual([]);
      const first = taken.find(({ version }) => version === 1);
      await suite.store.webhooks.finish(first?.id ?? '', { state: 'delivered', status: 204, error: null, delayMs: 0 });
      expect(await take(hook)).toEqual([3]);
    });

    it('no more are taken than are free, whoever asks; what is held too long is taken again', async () => {
      const hook = randomUUID();
      await suite.store.webhooks.plan(Array.from({ length: 5 }, () => delivery(hook, randomUUID(), 1)));
      expect(await take(hook, 2)).toHaveLength(2);
      const both = await Promise.all(
        [suite.store, suite.second].map((store) => store.webhooks.takeDue([{ webhookId: hook, free: 10 }], -1)),
      );
      expect(new Set(both.flat().map(({ id }) => id)).size).toBe(3);
      expect(await take(hook)).toHaveLength(3);
    });

    it('a try is written down; what waits comes again after its delay, what was given up does not, until it is redelivered', async () => {
      const hook = randomUUID();
      await suite.store.webhooks.plan([delivery(hook, randomUUID(), 1)]);
      const [{ id }] = (await suite.store.webhooks.listDeliveries({ webhookId: hook, limit: 1 })) as unknown as [{ id: string }];
      await suite.store.webhooks.finish(id, { state: 'waiting', status: 500, error: 'it answered 500', delayMs: 60_000 });
      expect(await take(hook)).toEqual([]);
      await suite.store.webhooks.finish(id, { state: 'given_up', status: null, error: 'no answer', delayMs: 0 });
      expect(await take(hook)).toEqual([]);
      expect(await suite.store.webhooks.redeliver(id, [randomUUID()])).toBeUndefined();
      expect(await suite.second.webhooks.redeliver(id, [randomUUID(), hook])).toMatchObject({
        id,
        state: 'waiting',
        attempts: 0,
        lastError: 'no answer',
      });
      expect(await take(hook)).toEqual([1]);
    });

    it('an enabled webhook goes on with what was given up, before the later events of its order', async () => {
      const [hook, order] = [randomUUID(), randomUUID()];
      await suite.store.webhooks.plan([delivery(hook, order, 1), delivery(hook, order, 2)]);
      const [first] = await suite.store.webhooks.takeDue([{ webhookId: hook, free: 1 }], 60_000);
      await suite.store.webhooks.finish(first?.id ?? '', { state: 'given_up', status: 410, error: 'gone', delayMs: 0 });
      await suite.second.webhooks.resume(hook);
      const listed = await suite.store.webhooks.listDeliveries({ webhookId: hook, limit: 10 });
      expect(listed.map(({ state, attempts }) => [state, attempts])).toEqual([
        ['waiting', 0],
        ['waiting', 0],
      ]);
      expect(await take(hook)).toEqual([1]);
    });

    it('what waits behind a failed one is not due before it, nor what is planned meanwhile', async () => {
      const [hook, order] = [randomUUID(), randomUUID()];
      await suite.store.webhooks.plan([delivery(hook, order, 1), delivery(hook, order, 2)]);
      const [first] = await suite.store.webhooks.takeDue([{ webhookId: hook, free: 1 }], 60_000);
      await suite.store.webhooks.finish(first?.id ?? '', { state: 'waiting', status: 500, error: 'it answered 500', delayMs: 3_600_000 });
      await suite.store.webhooks.plan([delivery(hook, order, 3)]);
      const next = (await suite.store.webhooks.listDeliveries({ webhookId: hook, limit: 10 })).map(({ nextAt }) => nextAt);
      expect(Math.min(...next)).toBeGreaterThan(Date.now() + 3_000_000);
      await suite.store.webhooks.finish(first?.id ?? '', { state: 'delivered', status: 200, error: null, delayMs: 0 });
      expect(await take(hook)).toEqual([2]);
    });

    it('whether anything succeeded of late is known', async () => {
      const [hook, before] = [randomUUID(), Date.now() - 60_000];
      await suite.store.webhooks.plan([delivery(hook, randomUUID(), 1)]);
      const [taken] = await suite.store.webhooks.takeDue([{ webhookId: hook, free: 1 }], 60_000);
      expect(await suite.store.webhooks.hasDelivered(hook, before)).toBe(false);
      await suite.store.webhooks.finish(taken?.id ?? '', { state: 'delivered', status: 200, error: null, delayMs: 0 });
      expect(await suite.second.webhooks.hasDelivered(hook, before)).toBe(true);
      expect(await suite.second.webhooks.hasDelivered(hook, Date.now() + 60_000)).toBe(false);
    });

    it('deliveries are listed newest first, page after page', async () => {
      const hook = randomUUID();
      for (let version = 1; version <= 5; version += 1) await suite.store.webhooks.plan([delivery(hook, randomUUID(), version)]);
      const first = await suite.store.webhooks.listDeliveries({ webhookId: hook, limit: 3 });
      const rest = await suite.second.webhooks.listDeliveries({ webhookId: hook, limit: 3, beforeId: first.at(-1)?.id ?? '' });
      expect([...first, ...rest].map(({ version }) => version)).toEqual([5, 4, 3, 2, 1]);
    });
  });
}
