import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { OrderPageJson } from './api.ts';
import { exportOrders } from './order-export.ts';

const EMPTY: OrderPageJson = { orders: [], has_more: false };

describe('a table of orders', () => {
  it('of none is its header', async () => {
    expect(await text(await exportOrders(async () => EMPTY, new AbortController().signal))).toMatch(/^order_id,.*\r\n$/);
  });

  it('is refused where the gateway stops while its first page is read, and breaks off later', async () => {
    const closing = new AbortController();
    const page = Promise.withResolvers<OrderPageJson>();
    const table = exportOrders(() => page.promise, closing.signal);
    const later = await exportOrders(async () => EMPTY, closing.signal);
    closing.abort();
    page.resolve(EMPTY);
    await expect(table).rejects.toMatchObject({ code: 'shutting-down' });
    await expect(text(later)).rejects.toMatchObject({ code: 'shutting-down' });
  });
});
