import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import type { OrderEvent } from '#domain/order.ts';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import type { Store } from '#engine/store.ts';
import { EventStreams } from './event-stream.ts';

const ID = '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c';
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the events of an order at a gateway that stops', () => {
  it('end, whether they were followed before or are only now; what the database answers then is told nobody', async () => {
    const clock = new ManualClock();
    const answer = Promise.withResolvers<OrderEvent[][]>();
    const store = { readEventsAfter: () => answer.promise } as unknown as Store;
    const streams = new EventStreams(clock, silentLog);
    const before = streams.follow(store, ID, 0, String);
    clock.pass(0);
    streams.close();
    answer.resolve([[{ orderId: ID, version: 1, kind: 'accepted' } as OrderEvent]]);
    await turn();
    expect(await text(before)).toBe('retry: 1000\n\n');
    expect(await text(streams.follow(store, ID, 0, String))).toBe('retry: 1000\n\n');
  });
});
