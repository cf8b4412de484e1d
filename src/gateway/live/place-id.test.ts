import { describe, expect, it } from 'vitest';
import { comparePlaces, OUTBOX_BEGIN, type OutboxPlace } from '#engine/outbox.ts';
import { decodePlaces, encodePlaces } from './place-id.ts';

const ID = '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c';
const idOf = (value: unknown): string => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

describe('the id of a message', () => {
  it('leads back to the same places', () => {
    const places = new Map<string, OutboxPlace>([
      ['HCM', { at: '2026-11-21 10:00:00.123456+00', orderId: ID, version: 7 }],
      ['HN', { at: '2026-11-21 10:00:00.00001+00', orderId: OUTBOX_BEGIN.orderId, version: 0 }],
      ['D"N', OUTBOX_BEGIN],
    ]);
    const id = encodePlaces(places);
    expect(id).toMatch(/^[\w-]+$/);
    const found = decodePlaces(id);
    expect([...(found?.keys() ?? [])]).toEqual([...places.keys()]);
    for (const [name, place] of places) expect(comparePlaces(found?.get(name) as OutboxPlace, place)).toBe(0);
    expect(encodePlaces(found as Map<string, OutboxPlace>)).toBe(id);
    expect(decodePlaces(encodePlaces(new Map()))?.size).toBe(0);
  });

  it.each([
    '',
    'abc',
    '5',
    'e30=',
    'a b',
    '%00',
    idOf('{'),
    idOf('null'),
    idOf([]),
    idOf({ HN: 5 }),
    idOf({ HN: [] }),
    idOf({ HN: [-1] }),
    idOf({ HN: [1.5] }),
    idOf({ HN: [1e300] }),
    idOf({ HN: ['2026-11-21'] }),
    idOf({ HN: [1, ID] }),
    idOf({ HN: [1, 'x', 1] }),
    idOf({ HN: [1, ID, 2 ** 31] }),
    idOf({ HN: [1, ID, 1, 1] }),
  ])('is not %j', (id) => expect(decodePlaces(id)).toBeUndefined());

  it('reaches from 1970 to the end of what a number counts', () => {
    for (const micros of [0, 999, 1_000_001, Number.MAX_SAFE_INTEGER]) {
      const found = decodePlaces(idOf({ HN: [micros] }));
      expect(encodePlaces(found as Map<string, OutboxPlace>)).toBe(idOf({ HN: [micros] }));
    }
  });
});
