import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { ManualClock } from '#engine/manual-clock.ts';
import { comparePlaces, OUTBOX_BEGIN, type OutboxEvent, type OutboxPage, type OutboxPlace } from '#engine/outbox.ts';
import { parseMessages } from '#test/live-client.ts';
import { Follower } from './follower.ts';
import { decodePlaces } from './place-id.ts';
import { LiveReader } from './reader.ts';

const BEGIN_MS = Date.UTC(2026, 10, 21);
const momentAt = (ms: number): OutboxPlace => ({ ...OUTBOX_BEGIN, at: new Date(ms).toISOString() });

/** An outbox whose time is the test's clock; its reads take as long as the test lets them. */
class FakeOutbox {
  readonly clock: ManualClock;
  readonly events: OutboxEvent[] = [];
  reads = 0;
  isAway = false;
  answerMs = 0;
  /** The start of a transaction that is open. */
  openSince: number | undefined;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  write(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const version = this.events.length + 1;
      const place = { at: new Date(this.clock.now()).toISOString(), orderId: '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c', version };
      const event = { ...place, kind: 'claimed', step: 1, direction: 'forward', sessionId: 1, fence: 1, at: this.clock.now(), data: null };
      const about = { content: {}, customerId: 'user', stepName: 'Scheduling', nodeId: 'n1' };
      this.events.push({ event: event as OutboxEvent['event'], place, ...about });
    }
  }

  readNow = async (): Promise<OutboxPlace> => {
    await this.answer();
    return momentAt(this.openSince ?? this.clock.now());
  };

  readOutbox = async (after: OutboxPlace, { limit, spanMs }: { limit: number; spanMs: number }): Promise<OutboxPage> => {
    await this.answer();
    const upper = momentAt(Math.min(this.openSince ?? this.clock.now(), Date.parse(after.at) + spanMs));
    const from = this.firstAfter(after);
    const events = this.events.slice(from, Math.min(this.firstAfter(upper), from + limit));
    const last = events.at(-1);
    if (last && events.length === limit) return { events, next: last.place, isCaughtUp: false };
    const next = comparePlaces(upper, after) > 0 ? upper : after;
    return { events, next, isCaughtUp: Date.parse(upper.at) >= this.clock.now() - 1_000 };
  };

  private firstAfter(place: OutboxPlace): number {
    let [low, high] = [0, this.events.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (comparePlaces((this.events[middle] as OutboxEvent).place, place) > 0) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private async answer(): Promise<void> {
    this.reads += 1;
    await (this.answerMs > 0 ? sleep(this.clock, this.answerMs) : turn());
    if (this.isAway) throw new Error('away');
  }
}

describe('a reader of one warehouse for all who follow', () => {
  let clock: ManualClock;
  let outbox: FakeOutbox;
  let reader: LiveReader;
  beforeEach(() => {
    clock = new ManualClock(BEGIN_MS);
    outbox = new FakeOutbox(clock);
    reader = new LiveReader({ warehouse: 'HN', outbox, clock, log: silentLog });
  });
  afterEach(() => reader.close());

  /** Lets the time pass in small steps, with room for what it sets going. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      clock.pass(50);
      for (let turns = 0; turns < 6; turns += 1) await turn();
    }
  }

  /** One who keeps what it reads. */
  class Client {
    readonly follower = new Follower({ clock, filter: {}, checkAccess: () => Promise.resolve() });
    readonly told: unknown[] = [];
    lastId = '';

    async open(after?: OutboxPlace): Promise<this> {
      await reader.admit(this.follower);
      reader.serve(this.follower, after);
      this.follower.open();
      return this;
    }

    read(): unknown[] {
      for (const { id, event, data } of parseMessages(String(this.follower.stream.read() ?? ''))) {
        this.lastId = id ?? this.lastId;
        if (event) this.told.push(data?.['version'] ?? data?.['reason']);
      }
      return this.told;
    }

    /** Goes, and comes back as a browser does. */
    async comeBack(): Promise<Client> {
      this.read();
      this.follower.stream.destroy();
      const again = await new Client().open(decodePlaces(this.lastId)?.get('HN'));
      again.told.push(...this.told);
      return again;
    }
  }

  it('reads only while somebody follows, once for all, and tells from now on', async () => {
    outbox.write(3);
    await pass(1_000);
    expect(outbox.reads).toBe(0);
    const clients = await Promise.all([new Client().open(), new Client().open()]);
    outbox.write(2);
    await pass(2_000);
    const reads = outbox.reads;
    expect(reads).toBeGreaterThan(5);
    expect(reads).toBeLessThan(12);
    expect(clients.map((client) => client.read())).toEqual([
      [4, 5],
      [4, 5],
    ]);
    for (const { follower } of clients) follower.stream.destroy();
    await pass(1_000);
    const readsThen = outbox.reads;
    await pass(5_000);
    expect(outbox.reads).toBe(readsThen);
    outbox.write(1);
    await pass(50);
    const later = await new Client().open();
    outbox.write(1);
    await pass(1_000);
    expect(later.read()).toEqual([7]);
  });

  it.each([1, 2, 3, 4, 5])('I13: whoever comes back gets every event once, in its order, however often it goes (seed %i)', async (seed) => {
    const chance = new ManualClock(0, seed);
    let clients = await Promise.all(Array.from({ length: 4 }, () => new Client().open()));
    for (let round = 0; round < 60; round += 1) {
      outbox.write(Math.floor(chance.random() ** 4 * 400));
      await pass(Math.floor(chance.random() * 8) * 50);
      clients = await Promise.all(clients.map((client) => (chance.random() < 0.3 ? client.comeBack() : client)));
      for (const client of clients) client.read();
    }
    for (let rest = 0; rest < 20; rest += 1) {
      await pass(500);
      for (const client of clients) client.read();
    }
    const all = outbox.events.map(({ event }) => event.version);
    for (const client of clients) expect(client.read()).toEqual(all);
  });

  it('takes who comes back too late to now, and says so; so it does with a place of another clock', async () => {
    const early = await (await new Client().open()).comeBack();
    outbox.write(1);
    await pass(500);
    expect(early.read()).toEqual([1]);
    early.follower.stream.destroy();
    clock.pass(6 * 60_000);
    await pass(500);
    const steady = await new Client().open();
    const late = await early.comeBack();
    const ahead = await new Client().open(momentAt(clock.now() + 3_600_000));
    outbox.write(1);
    await pass(500);
    expect([late.read(), ahead.read(), steady.read()]).toEqual([[1, 'too_old', 2], ['too_old', 2], [2]]);
  });

  it('misses nothing while the warehouse is away, and tells nobody', async () => {
    const client = await new Client().open();
    outbox.write(1);
    await pass(500);
    outbox.isAway = true;
    outbox.write(1);
    await pass(10_000);
    outbox.isAway = false;
    await pass(20_000);
    expect(client.read()).toEqual([1, 2]);
  });

  it('keeps nobody waiting for a warehouse that is away from the beginning, and tells of it once it is back', async () => {
    outbox.isAway = true;
    const [fresh, back] = [await new Client().open(), await new Client().open(momentAt(clock.now()))];
    outbox.write(1);
    await pass(3_000);
    outbox.isAway = false;
    await pass(3_000);
    outbox.write(1);
    await pass(1_000);
    expect([fresh.read(), back.read()]).toEqual([[2], [1, 2]]);
  });

  it('waits behind an open transaction without asking again and again', async () => {
    const [client, back] = [await new Client().open(), await new Client().open(momentAt(clock.now() - 5_000))];
    outbox.openSince = clock.now();
    outbox.write(1);
    await pass(1_000);
    const readsThen = outbox.reads;
    await pass(10_000);
    expect(outbox.reads - readsThen).toBeLessThan(100);
    outbox.openSince = undefined;
    await pass(20_000);
    expect([client.read(), back.read()]).toEqual([[1], [1]]);
  });

  it('skips to now, and says so, when more happens than it can read', async () => {
    const client = await new Client().open();
    outbox.answerMs = 500;
    for (let round = 0; round < 30; round += 1) {
      outbox.write(1_000);
      await pass(500);
      client.read();
    }
    outbox.answerMs = 0;
    await pass(2_000);
    const told = client.read() as (number | string)[];
    const gap = told.indexOf('too_many');
    expect(gap).toBeGreaterThan(0);
    expect(told[gap + 1]).toBeGreaterThan((told[gap - 1] as number) + 1_000);
    const rest = told.slice(told.lastIndexOf('too_many') + 1) as number[];
    expect(rest).toEqual(Array.from({ length: rest.length }, (_, index) => (rest[0] as number) + index));
  });
});
