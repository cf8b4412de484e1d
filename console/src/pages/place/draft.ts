import type { OrderContent } from '#domain/order.ts';

/** The form as it is typed: texts, whether they make sense yet or not. */
export interface Draft {
  customer_name: string;
  region: string;
  symbol: string;
  quantity: string;
  tracking_id: string;
  detail: string;
  items: readonly DraftItem[];
  metadata: string;
  order_id: string;
}

export interface DraftItem {
  /** Tells rows apart while they are moved and removed; never sent. */
  row: number;
  sku: string;
  quantity: string;
  unit_price: string;
}

export const EMPTY_DRAFT: Draft = {
  ...{ customer_name: '', region: '', symbol: '', quantity: '', tracking_id: '', detail: '', items: [], metadata: '', order_id: '' },
};

/** A form that has an example of everything. */
export function exampleDraft(region: string): Draft {
  return {
    ...EMPTY_DRAFT,
    customer_name: 'Nguyễn Thị Minh Khai',
    region,
    symbol: 'VNM',
    quantity: '3',
    detail: 'Leave it at the side gate, please.',
    items: [
      { row: 0, sku: 'MILK-1L', quantity: '2', unit_price: '1.85' },
      { row: 1, sku: 'YOGURT-4', quantity: '1', unit_price: '2.40' },
    ],
    metadata: '{\n  "channel": "console",\n  "gift": false\n}',
  };
}

/** The form that would send this content. What names one order alone is left out: it would find that order again. */
export function draftLike(content: OrderContent): Draft {
  const { customer_name = '', region = '', symbol = '', quantity, detail = '', items = [], metadata } = content;
  return {
    ...EMPTY_DRAFT,
    ...{ customer_name, region, symbol, detail },
    quantity: quantity === undefined ? '' : String(quantity),
    items: items.map((item, row) => ({ row, sku: item.sku, quantity: String(item.quantity), unit_price: item.unit_price ?? '' })),
    metadata: metadata === undefined ? '' : JSON.stringify(metadata, null, 2),
  };
}

export function withoutOwnNames(draft: Draft): Draft {
  return { ...draft, tracking_id: '', order_id: '' };
}

export function addItem(draft: Draft): Draft {
  const row = Math.max(-1, ...draft.items.map((item) => item.row)) + 1;
  return { ...draft, items: [...draft.items, { row, sku: '', quantity: '1', unit_price: '' }] };
}

export function changeItem(draft: Draft, row: number, change: Partial<DraftItem>): Draft {
  return { ...draft, items: draft.items.map((item) => (item.row === row ? { ...item, ...change } : item)) };
}

export function removeItem(draft: Draft, row: number): Draft {
  return { ...draft, items: draft.items.filter((item) => item.row !== row) };
}
