import type { PassThrough } from 'node:stream';
import type { Clock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Warehouse } from '../warehouses/warehouses.ts';
import { Follower, type FollowerOptions } from './follower.ts';
import type { Places } from './place-id.ts';
import { LiveReader } from './reader.ts';

export interface LiveWish extends Omit<FollowerOptions, 'clock'> {
  warehouses: readonly Warehouse[];
  /** Absent: from now on. So is a warehouse that it does not name. */
  after: Places | undefined;
}

/** The events of all orders as they happen, as server-sent events: one reader for each warehouse, whoever follows. */
export class LiveEvents {
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly readers = new Map<string, LiveReader>();
  private readonly followers = new Set<Follower>();
  private isClosed = false;

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  /** The first that comes says where it begins: nothing that happens from then on is left out. */
  follow({ warehouses, after, filter, checkAccess }: LiveWish): PassThrough {
    const follower = new Follower({ clock: this.clock, filter, checkAccess });
    this.followers.add(follower);
    follower.stream.once('close', () => this.followers.delete(follower));
    void this.begin(follower, warehouses, after);
    return follower.stream;
  }

  /** Ends all streams; their readers come back with the id of their last message. */
  close(): void {
    this.isClosed = true;
    for (const reader of this.readers.values()) reader.close();
    for (const follower of this.followers) follower.end();
  }

  private async begin(follower: Follower, warehouses: readonly Warehouse[], after: Places | undefined): Promise<void> {
    // Its request came in before, and was looked at since: no reader begins any more.
    if (this.isClosed) return follower.end();
    const readers = warehouses.map((warehouse) => [warehouse.name, this.readerOf(warehouse)] as const);
    await Promise.all(readers.map(([, reader]) => reader.admit(follower)));
    for (const [name, reader] of readers) reader.serve(follower, after?.get(name));
    if (this.isClosed) follower.end();
    else follower.open();
  }

  private readerOf({ name, store }: Warehouse): LiveReader {
    const known = this.readers.get(name);
    if (known) return known;
    const reader = new LiveReader({ warehouse: name, outbox: store.outbox, clock: this.clock, log: this.log });
    this.readers.set(name, reader);
    return reader;
  }
}
