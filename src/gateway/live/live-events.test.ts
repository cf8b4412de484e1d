import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import { OUTBOX_BEGIN } from '#engine/outbox.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { LiveEvents } from './live-events.ts';

const outbox = { readNow: async () => OUTBOX_BEGIN, readOutbox: async () => ({ events: [], next: OUTBOX_BEGIN, isCaughtUp: true }) };
const warehouses = [{ name: 'HN', store: { outbox } } as unknown as Warehouse];

describe('the live stream of a gateway that stops', () => {
  it('ends, whether it was followed before or is only now', async () => {
    const live = new LiveEvents(new ManualClock(), silentLog);
    const follow = () => live.follow({ warehouses, after: undefined, filter: {}, checkAccess: async () => undefined });
    const before = follow();
    await new Promise((resolve) => setImmediate(resolve));
    live.close();
    expect(await text(before)).toMatch(/^retry: 1000\n/);
    expect(await text(follow())).toBe('');
  });
});
