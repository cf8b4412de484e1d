import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { OUTBOX_BEGIN, type OutboxEvent, type OutboxPlace } from './outbox.ts';
import { OutboxReader, type OutboxReaderOptions } from './outbox-reader.ts';

const IDLE_MS = 100;
const RETRY_MS = 500;
const EVENT = {} as OutboxEvent;
const placeAt = (version: number): OutboxPlace => ({ ...OUTBOX_BEGIN, version });

describe('a reader of the outbox', () => {
  let clock: ManualClock;
  let holder: string;
  let saved: OutboxPlace;
  let canSave: boolean;
  /** What the next pages hold; without any the reader has caught up. */
  let pages: { events: OutboxEvent[] }[];
  let reads: { from: number; spanMs: number }[];
  let saves: number[];
  let handled: number[];
  let failures: boolean[];
  let leasesTaken: number;
  let reader: OutboxReader;

  const outbox: OutboxReaderOptions['store']['outbox'] = {
    async readOutbox(after, { spanMs }) {
      reads.push({ from: after.version, spanMs });
      const page = pages.shift();
      return { events: page?.events ?? [], next: placeAt(after.version + 1), isCaughtUp: page === undefined };
    },
    readNow: async () => saved,
    readPlace: async () => saved,
    async savePlace(_name, place) {
      if (canSave) saved = place;
      saves.push(place.version);
      return canSave;
    },
    readLag: async () => undefined,
  };
  const takeLease = async () => {
    leasesTaken += 1;
    return { holder, leaseMs: 3_000, detail: null };
  };

  beforeEach(() => {
    clock = new ManualClock();
    [holder, saved, canSave] = ['me', placeAt(10), true];
    [pages, reads, saves, handled, failures, leasesTaken] = [[], [], [], [], [], 0];
  });
  afterEach(async () => {
    await reader.stop();
  });

  async function start(changes: Partial<OutboxReaderOptions> = {}): Promise<void> {
    reader = new OutboxReader({
      ...{ store: { outbox, peers: { takeLease } } as unknown as OutboxReaderOptions['store'], name: 'reader', clock },
      ...{ lease: { name: 'lease', holder: 'me' }, idleMs: IDLE_MS, retryMs: RETRY_MS, isWanted: () => true },
      handle: async (events) => void handled.push(events.length),
      onFailure: (_error, isFirst) => void failures.push(isFirst),
      ...changes,
    });
    reader.start();
    await untilItWaits();
  }
  async function untilItWaits(): Promise<void> {
    while (clock.waitingCount === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += IDLE_MS) {
      clock.pass(IDLE_MS);
      await untilItWaits();
    }
  }

  it('goes on without a pause until it has caught up, and saves its place after each page that held events', async () => {
    pages = [{ events: [EVENT, EVENT] }, { events: [] }, { events: [EVENT] }];
    await start();
    expect(handled).toEqual([2, 0, 1, 0]);
    expect(reads.map(({ from }) => from)).toEqual([10, 11, 12, 13]);
    expect(saves).toEqual([11, 13]);
  });

  it('begins where it is told to', async () => {
    await start({ begin: ({ version }) => placeAt(version + 20) });
    expect(reads[0]?.from).toBe(30);
  });

  it('while nothing happens, writes its place down every five seconds, not on each look', async () => {
    await start();
    await pass(20_000);
    expect(reads.length).toBeGreaterThan(190);
    expect(saves.length).toBeGreaterThanOrEqual(4);
    expect(saves.length).toBeLessThanOrEqual(5);
  });

  it('extends its lease before that ends, though not on each look', async () => {
    await start();
    await pass(10_000);
    expect(leasesTaken).toBeGreaterThanOrEqual(10);
    expect(leasesTaken).toBeLessThanOrEqual(12);
  });

  it('looks further at once where little happened, and less far where much did', async () => {
    const full = Array.from({ length: 500 }, () => EVENT);
    pages = [{ events: [] }, { events: [EVENT] }, { events: full }, ...Array.from({ length: 30 }, () => ({ events: [] }))];
    await start();
    const spans = reads.map(({ spanMs }) => spanMs);
    expect(spans.slice(0, 5)).toEqual([1_000, 2_000, 4_000, 2_000, 4_000]);
    expect(Math.max(...spans)).toBe(86_400_000);
  });

  it('reads nothing while another has the lease, and goes on from what that one saved', async () => {
    await start();
    holder = 'another';
    await pass(2_000);
    const before = reads.length;
    await pass(5_000);
    expect(reads.length).toBe(before);
    [holder, saved] = ['me', placeAt(70)];
    await pass(RETRY_MS);
    expect(reads[before]?.from).toBe(70);
  });

  it('whose place could not be saved has lost its lease: it takes that anew, and goes on from what was saved', async () => {
    pages = [{ events: [EVENT] }];
    canSave = false;
    await start();
    expect(leasesTaken).toBeGreaterThan(1);
    expect(reads.slice(0, 2).map(({ from }) => from)).toEqual([10, 10]);
  });

  it('neither holds the lease nor keeps a place while it is not wanted', async () => {
    let isWanted = false;
    await start({ isWanted: () => isWanted });
    await pass(2_000);
    expect([reads.length, leasesTaken]).toEqual([0, 0]);
    isWanted = true;
    await pass(RETRY_MS);
    isWanted = false;
    await pass(RETRY_MS);
    [isWanted, saved] = [true, placeAt(90)];
    reads = [];
    await pass(RETRY_MS);
    expect(reads[0]?.from).toBe(90);
  });

  it('hands the same events over again after a failure, which it tells with whether it is the first', async () => {
    pages = [{ events: [EVENT] }];
    let isBroken = true;
    await start({
      async handle(events) {
        if (isBroken) throw new Error('broken');
        handled.push(events.length);
      },
    });
    await pass(2 * RETRY_MS);
    expect(failures).toEqual([true, false, false]);
    expect(saves).toEqual([]);
    isBroken = false;
    await pass(RETRY_MS);
    expect(reads.slice(0, 4).map(({ from }) => from)).toEqual([10, 10, 10, 10]);
    isBroken = true;
    await pass(IDLE_MS);
    expect(failures.at(-1)).toBe(true);
  });
});
