import { describe, expect, it } from 'vitest';
import { ConveyorError, WarehouseAway } from '#domain/errors.ts';
import type { Store } from '#engine/store.ts';
import { guardStore, Presence } from './presence.ts';

describe('the presence of a warehouse', () => {
  function open(): { presence: Presence; troubles: () => number } {
    let count = 0;
    const presence = new Presence('HN', () => {
      count += 1;
    });
    presence.comeBack();
    return { presence, troubles: () => count };
  }

  it('refuses calls while it is away, without making them: nothing was sent', async () => {
    const { presence } = open();
    presence.leave('no answer within 1000 ms');
    let made = 0;
    const call = presence.call(async () => (made += 1));
    await expect(call).rejects.toThrow(WarehouseAway);
    await expect(call).rejects.toThrow('warehouse HN is away (no answer within 1000 ms)');
    expect(made).toBe(0);
    presence.comeBack();
    expect(await presence.call(async () => 7)).toBe(7);
  });

  it('refuses what waits when it goes away; its outcome is open, so it is not called away', async () => {
    const { presence } = open();
    const late = Promise.withResolvers<number>();
    const call = presence.call(() => late.promise);
    presence.leave('gone');
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'warehouse-unavailable', message: 'warehouse HN went away (gone); the outcome is open' });
    expect(error).not.toBeInstanceOf(WarehouseAway);
    late.resolve(1);
    await late.promise;
  });

  it('asks for a look when a call fails as if the database were away, and only then', async () => {
    const { presence, troubles } = open();
    await expect(presence.call(() => Promise.reject(new ConveyorError('overloaded', 'x')))).rejects.toThrow('x');
    expect(troubles()).toBe(0);
    await expect(presence.call(() => Promise.reject(new WarehouseAway('HN', 'refused')))).rejects.toThrow('refused');
    expect(troubles()).toBe(1);
  });

  it('guards a whole store, with what is in it; its name stays readable, and it can be closed', async () => {
    const { presence } = open();
    const calls: string[] = [];
    const bare = {
      warehouse: { name: 'HN', number: 3 },
      readLoad: async () => calls.push('readLoad'),
      tokens: { list: async () => calls.push('tokens.list') },
      close: async () => void calls.push('close'),
    } as unknown as Store;
    const store = guardStore(bare, presence);
    await store.readLoad();
    await store.tokens.list();
    expect(store.tokens).toBe(store.tokens);
    presence.leave('gone');
    await expect(store.readLoad()).rejects.toThrow(WarehouseAway);
    await expect(store.tokens.list()).rejects.toThrow(WarehouseAway);
    expect(store.warehouse.name).toBe('HN');
    await store.close();
    expect(calls).toEqual(['readLoad', 'tokens.list', 'close']);
  });
});
