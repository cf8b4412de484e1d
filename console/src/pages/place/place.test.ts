import { describe, expect, it } from 'vitest';
import type { OrderContent } from '#domain/order.ts';
import { checkDraft, faultsOf } from './check-draft.ts';
import { curlOf } from './curl.ts';
import { addItem, changeItem, type Draft, draftLike, EMPTY_DRAFT, exampleDraft, removeItem } from './draft.ts';
import { newKey, openIdempotencyKeys } from './idempotency-keys.ts';

const draft = (fields: Partial<Draft>): Draft => ({ ...EMPTY_DRAFT, ...fields });
const faultFields = (fields: Partial<Draft>): string[] => Object.keys(checkDraft(draft(fields)).faults);
const item = (fields: object) => ({ row: 0, sku: 'A', quantity: '1', unit_price: '', ...fields });

describe('an order as it is typed', () => {
  it('is sent with what is filled in only', () => {
    expect(checkDraft(EMPTY_DRAFT)).toEqual({ content: {}, faults: {} });
    expect(checkDraft(draft({ quantity: ' 7 ', symbol: 'VNM' })).content).toEqual({ quantity: 7, symbol: 'VNM' });
    expect(checkDraft(exampleDraft('HCM')).faults).toEqual({});
  });

  it.each<[Partial<Draft>, Partial<Draft>]>([
    [{ customer_name: '😀'.repeat(200) }, { customer_name: '😀'.repeat(201) }],
    [{ region: 'r'.repeat(64) }, { region: 'r'.repeat(65) }],
    [{ symbol: 's'.repeat(32) }, { symbol: 's'.repeat(33) }],
    [{ quantity: '1000000' }, { quantity: '1000001' }],
    [{ quantity: '1' }, { quantity: '0' }],
    [{ quantity: '5' }, { quantity: '5.5' }],
    [{ quantity: '5' }, { quantity: 'five' }],
    [{ tracking_id: 't'.repeat(255) }, { tracking_id: 't'.repeat(256) }],
    [{ order_id: 'Ab.9_-' }, { order_id: 'a b' }],
    [{ order_id: 'a'.repeat(64) }, { order_id: 'a'.repeat(65) }],
    [{ detail: 'x'.repeat(65_536) }, { detail: 'é'.repeat(32_769) }],
    [{ detail: 'fine' }, { detail: 'a\u0000' }],
    [{ metadata: '{"a":1}' }, { metadata: '{"a":1' }],
    [{ metadata: '{}' }, { metadata: '[]' }],
    [{ metadata: '{"a":9007199254740991}' }, { metadata: '{"a":9007199254740993}' }],
    [{ metadata: JSON.stringify({ a: 'x'.repeat(16_376) }) }, { metadata: JSON.stringify({ a: 'x'.repeat(16_377) }) }],
  ])('has limits: case %#', (within, beyond) => {
    expect(faultFields(within)).toEqual([]);
    expect(faultFields(beyond)).toEqual([`/${Object.keys(beyond)[0]}`]);
  });

  it('names the row and column of a faulty item as the gateway does', () => {
    const items = [item({}), item({ sku: '', quantity: '0', unit_price: '1,50' }), item({ unit_price: '12.345678' })];
    expect(faultFields({ items })).toEqual(['/items/1/sku', '/items/1/quantity', '/items/1/unit_price']);
    expect(checkDraft(draft({ items: [item({ unit_price: '' })] })).content).toEqual({ items: [{ sku: 'A', quantity: 1 }] });
    expect(faultFields({ items: Array.from({ length: 1_001 }, (_, row) => item({ row })) })).toEqual(['/items']);
  });

  it('is small enough as a whole', () => {
    const items = Array.from({ length: 1_000 }, (_, row) => item({ row, sku: 'é'.repeat(150) }));
    expect(faultFields({ items })).toEqual(['/']);
  });

  it('has rows that keep who they are', () => {
    const two = addItem(addItem(EMPTY_DRAFT));
    expect(two.items.map(({ row }) => row)).toEqual([0, 1]);
    expect(addItem(removeItem(two, 0)).items.map(({ row }) => row)).toEqual([1, 2]);
    expect(changeItem(two, 1, { sku: 'B' }).items.map(({ sku }) => sku)).toEqual(['', 'B']);
  });
});

describe('an order like another', () => {
  it('has its content, not what names it alone', () => {
    const content: OrderContent = { symbol: 'X', quantity: 2, tracking_id: 't', order_id: 'o', items: [{ sku: 'A', quantity: 1 }] };
    const { tracking_id: _, order_id: __, ...rest } = content;
    expect(checkDraft(draftLike({ ...content, metadata: { a: [1] } })).content).toEqual({ ...rest, metadata: { a: [1] } });
  });
});

describe('what the gateway refuses', () => {
  it('is shown at its field, the nearest that the form has', () => {
    const errors = [
      { field: '/symbol', reason: 'a' },
      { field: '/metadata/deep/er', reason: 'b' },
      { field: '/items/0/sku', reason: 'c' },
      { field: '/items/7/sku', reason: 'd' },
      { field: 'Idempotency-Key', reason: 'e' },
    ];
    expect(faultsOf(errors, draft({ items: [item({})] }))).toEqual({
      ...{ '/symbol': 'a', '/metadata': 'b', '/items/0/sku': 'c', '/items': 'd' },
    });
    expect(faultsOf([], EMPTY_DRAFT)).toEqual({});
  });
});

describe('as curl', () => {
  it('is one command whatever the texts hold', () => {
    expect(curlOf('http://here:8080', { customer_name: `O'Neil "$HOME" \`id\`` }, 'k1')).toBe(
      [
        `curl -X POST 'http://here:8080/orders' \\`,
        `  -H "Authorization: Bearer $CONVEYOR_TOKEN" \\`,
        `  -H 'Content-Type: application/json' \\`,
        `  -H 'Idempotency-Key: k1' \\`,
        `  -d '{"customer_name":"O'\\''Neil \\"$HOME\\" \`id\`"}'`,
      ].join('\n'),
    );
  });
});

describe('idempotency keys', () => {
  const openStorage = (): Pick<Storage, 'getItem' | 'setItem'> => {
    const kept = new Map<string, string>();
    return { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => void kept.set(name, value) };
  };

  it('are one for a content until its order is accepted, also over a reload', () => {
    const storage = openStorage();
    const keys = openIdempotencyKeys(storage, 'keys');
    const first = keys.keyOf({ symbol: 'A', quantity: 1 });
    expect(keys.keyOf({ symbol: 'B' })).not.toBe(first);
    expect(keys.keyOf({ quantity: 1, symbol: 'A' })).toBe(first);
    expect(openIdempotencyKeys(storage, 'keys').keyOf({ symbol: 'A', quantity: 1 })).toBe(first);
    keys.settle({ symbol: 'A', quantity: 1 });
    expect(keys.keyOf({ symbol: 'A', quantity: 1 })).not.toBe(first);
  });

  it('survive a storage that holds something else', () => {
    const storage = openStorage();
    storage.setItem('keys', 'what?');
    expect(openIdempotencyKeys(storage, 'keys').keyOf({})).toMatch(/^[\x21-\x7e]{1,255}$/);
  });

  it('are made where there is no randomUUID', () => {
    const { randomUUID } = crypto;
    try {
      Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
      expect(newKey()).toMatch(/^[0-9a-f]{32}$/);
    } finally {
      Object.defineProperty(crypto, 'randomUUID', { value: randomUUID, configurable: true });
    }
  });
});
