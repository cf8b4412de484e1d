import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConveyorError } from '#domain/errors.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import { OUTBOX_BEGIN, type OutboxEvent, type OutboxPlace } from '#engine/outbox.ts';
import { parseMessages } from '#test/live-client.ts';
import { Follower } from './follower.ts';
import { type LiveFilter, type LivePage, livePageOf } from './message.ts';
import { decodePlaces } from './place-id.ts';

const placeAt = (version: number): OutboxPlace => ({ ...OUTBOX_BEGIN, version });

function toldOf(number: number, changes: Partial<OutboxEvent> = {}): OutboxEvent {
  return {
    event: {
      ...{ orderId: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c', version: number, kind: 'step_completed', step: 1, direction: 'forward' },
      ...{ sessionId: 1, fence: 1, at: 0, data: { result: 'of no concern' } },
    },
    content: { customer_name: 'Ann', region: 'HN', symbol: 'abc', detail: 'long' },
    ...{ customerId: 'user', stepName: 'Scheduling', nodeId: 'n1', place: placeAt(number) },
    ...changes,
  };
}

/** The events `from + 1` to `to`. */
function pageOf(from: number, to: number, changes: Partial<OutboxEvent> = {}): LivePage {
  const events = Array.from({ length: to - from }, (_, index) => toldOf(from + index + 1, changes));
  return livePageOf(placeAt(from), { events, next: placeAt(to), isCaughtUp: true }, 'HN');
}

describe('one who follows', () => {
  let clock: ManualClock;
  let access: () => Promise<unknown>;
  beforeEach(() => {
    clock = new ManualClock();
    access = () => Promise.resolve();
  });
  const follow = (filter: LiveFilter = {}): Follower => new Follower({ clock, filter, checkAccess: () => access() });
  const read = (follower: Follower) => parseMessages(String(follower.stream.read() ?? ''));
  const versions = (follower: Follower): unknown[] =>
    read(follower).map(({ event, data }) => data?.['version'] ?? data?.['reason'] ?? event);

  it('is told where it begins, then every event with the place behind it', () => {
    const follower = follow();
    follower.standAt('HN', placeAt(4));
    follower.open();
    follower.tell('HN', pageOf(4, 6));
    const [begin, first, second] = read(follower);
    expect(begin).toEqual({ id: expect.any(String) });
    expect(decodePlaces(begin?.id ?? '')?.get('HN')).toMatchObject({ version: 4 });
    expect(first).toMatchObject({ event: 'order', data: { version: 5 } });
    expect(decodePlaces(second?.id ?? '')?.get('HN')).toMatchObject({ version: 6 });
    expect(second?.data).toEqual({
      order_id: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c',
      ...{ warehouse: 'HN', version: 6, kind: 'step_completed', status: 'processing', step_name: 'Scheduling', direction: 'forward' },
      ...{ at: '1970-01-01T00:00:00.000Z', node_id: 'n1', customer_name: 'Ann', region: 'HN', symbol: 'abc' },
    });
  });

  it.each([
    { status: 'processing' },
    { step_name: 'Scheduling' },
    { region: 'HN' },
    { node_id: 'n1' },
    { customer_name: 'Ann' },
  ] satisfies LiveFilter[])('gets only what it wants: %j', (filter) => {
    const [wanting, other] = [follow(filter), follow({ ...filter, [Object.keys(filter)[0] as string]: 'another' })];
    const { event } = toldOf(1);
    const bare = pageOf(0, 1, { content: {}, nodeId: undefined, stepName: 'Processing', event: { ...event, kind: 'completed' } });
    for (const follower of [wanting, other]) {
      follower.tell('HN', bare);
      follower.tell('HN', pageOf(1, 3));
    }
    expect([versions(wanting), versions(other)]).toEqual([[2, 3], []]);
  });

  it('is not told again what it was told before it joined', () => {
    const follower = follow();
    follower.standAt('HN', placeAt(7));
    follower.tell('HN', pageOf(4, 6));
    expect(versions(follower)).toEqual([]);
    follower.tell('HN', pageOf(6, 9));
    expect(versions(follower)).toEqual([8, 9]);
    follower.tell('HN', pageOf(9, 10));
    expect(versions(follower)).toEqual([10]);
  });

  it('that does not read is not written to without bound: it learns of the gap and goes on from then', () => {
    const follower = follow();
    let told = 0;
    for (; told < 10_000; told += 500) follower.tell('HN', pageOf(told, told + 500));
    expect(follower.stream.readableLength + follower.stream.writableLength).toBeLessThan(1024 * 1024);
    const before = versions(follower);
    expect(before).toEqual(Array.from({ length: before.length }, (_, index) => index + 1));
    follower.tell('HN', pageOf(told, told));
    follower.tell('HN', pageOf(told, told + 2));
    expect(versions(follower)).toEqual(['too_slow', told + 1, told + 2]);
  });

  it('that does not read, and missed nothing that it wants, has no gap', () => {
    const follower = follow({ customer_name: 'Ann' });
    for (let told = 0; told < 5_000; told += 500) follower.tell('HN', pageOf(told, told + 500, { content: {} }));
    follower.tell('HN', pageOf(5_000, 5_001));
    expect(versions(follower)).toEqual([5_001]);
  });

  it('is told of a gap with the place where it goes on', () => {
    const follower = follow();
    follower.standAt('HN', placeAt(1));
    follower.skipTo('HN', placeAt(9), 'too_old');
    follower.open();
    const [begin, gap] = read(follower);
    expect(begin?.event).toBeUndefined();
    expect(gap).toMatchObject({ event: 'gap', data: { reason: 'too_old' } });
    expect(decodePlaces(gap?.id ?? '')?.get('HN')).toMatchObject({ version: 9 });
  });

  it('hears every 15 seconds that it is still there, and where, though nothing happens that it wants', () => {
    const follower = follow({ region: 'DN' });
    follower.open();
    read(follower);
    clock.pass(14_999);
    expect(follower.stream.read()).toBeNull();
    follower.tell('HN', pageOf(0, 3));
    clock.pass(1);
    const text = String(follower.stream.read());
    expect(text).toMatch(/^: still here\nid: \S+\n\n$/);
    expect(decodePlaces(parseMessages(text)[0]?.id ?? '')?.get('HN')).toMatchObject({ version: 3 });
    clock.pass(15_000);
    expect(follower.stream.read()).not.toBeNull();
    follower.stream.destroy();
  });

  it('is left alone after it went', async () => {
    const follower = follow();
    follower.open();
    follower.stream.destroy();
    await turn();
    expect(clock.waitingCount).toBe(0);
    follower.tell('HN', pageOf(0, 1));
    follower.end();
  });

  it('ends when its token is not good any more, not when nobody can tell', async () => {
    const follower = follow();
    follower.open();
    access = () => Promise.reject(new ConveyorError('warehouse-unavailable', 'away'));
    clock.pass(15_000);
    await turn();
    expect(follower.stream.writable).toBe(true);
    access = () => Promise.reject(new ConveyorError('unauthorized', 'revoked'));
    clock.pass(15_000);
    await turn();
    expect(follower.stream.writable).toBe(false);
    expect(clock.waitingCount).toBe(0);
  });
});
