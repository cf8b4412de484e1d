import { describe, expect, it } from 'vitest';
import { ManualClock } from '#engine/manual-clock.ts';
import { acceptOne, ORDER_WORKFLOW } from '../../../test/conformance/support.ts';
import { createMemoryStore } from './memory-store.ts';

describe('retention in memory', () => {
  it('forgets what ended long ago, and nothing else', async () => {
    const clock = new ManualClock();
    const store = createMemoryStore({ warehouse: { name: 'HCM', number: 1 }, clock });
    await store.registerWorkflows([ORDER_WORKFLOW]);
    const [ended, open] = [await acceptOne(store), await acceptOne(store)];
    await store.cancelOrder({ orderId: ended, customerId: undefined, actor: 'op', reason: undefined });
    clock.pass(1_000);
    expect(await store.retention.keepHouse({ keepMs: undefined })).toMatchObject({ deletedRows: 0 });
    expect(await store.retention.keepHouse({ keepMs: 1_000 })).toMatchObject({ deletedRows: 0 });
    expect(await store.retention.keepHouse({ keepMs: 999 })).toMatchObject({ deletedRows: 1 });
    expect((await store.readOrders([ended, open])).map((record) => record?.order.orderId)).toEqual([undefined, open]);
    expect(await store.readEventsAfter([{ orderId: ended, afterVersion: 0 }])).toEqual([[]]);
  });
});
