import { messageOf } from '#domain/errors.ts';
import { type Clock, sleep } from '#engine/clock.ts';
import type { Liveness, SessionAttendant, Subscription } from '#engine/store.ts';
import { Connection, type ConnectionOptions, type Statement } from './connect.ts';
import { wakeNodes } from './sessions.ts';

/** No more than one hint in this time: a NOTIFY takes a lock of the whole server until its commit is done. */
const MIN_GAP_MS = 5;
/** After one that found no node with a free slot: they come for work by themselves when they have one. */
const GAP_WHILE_ALL_ARE_BUSY_MS = 25;

/** More orders than these are no idle system's. */
const MOST_TO_RIDE = 8;

/**
 * Sends hints on a connection of its own, outside every order's statement; what comes meanwhile is added up. Where nothing was sent for
 * a while, the statement that accepts a few orders may send the hint itself: nodes hear of it with the commit, a round trip earlier.
 */
export class HintSender {
  private readonly connection: Connection;
  private readonly clock: Clock;
  private orderCount = 0;
  private sending: Promise<void> | undefined;

  constructor(connection: Connection, clock: Clock) {
    this.connection = connection;
    this.clock = clock;
  }

  send(orderCount: number): Promise<void> {
    this.orderCount += orderCount;
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined;
    });
    return this.sending;
  }

  /** Lets a statement send the hint for so many orders; until its end no other is sent. `undefined`: not now. */
  takeRide(orderCount: number): { end: () => void } | undefined {
    if (this.sending || orderCount > MOST_TO_RIDE) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.sending = promise
      .then(() => sleep(this.clock, MIN_GAP_MS))
      .then(() => this.sendAll())
      .finally(() => {
        this.sending = undefined;
      });
    return { end: resolve };
  }

  private async sendAll(): Promise<void> {
    while (this.orderCount > 0) {
      const count = this.orderCount;
      this.orderCount = 0;
      const woken = await wakeNodes(this.connection, count);
      await sleep(this.clock, woken > 0 ? MIN_GAP_MS : GAP_WHILE_ALL_ARE_BUSY_MS);
    }
  }
}

/** A second holder of the lock is this session's own connection of a moment ago, or whoever just looks whether it is free. */
const HOLD_SESSION: Statement = {
  name: 'hold_session',
  text: 'select pg_try_advisory_lock(liveness_class(), liveness_key($1)) as held',
};

const FIRST_BACKOFF_MS = 50;
/** Less than the time a lost lock may stay lost: after a restart of the database everybody is back in time. */
const MAX_BACKOFF_MS = 500;
const HOLD_AGAIN_MS = 50;

export interface AttendOptions extends ConnectionOptions {
  session: number;
  /** Whether to hold the session's liveness lock; without, only the lease tells of its end. */
  liveness: boolean;
}

/**
 * The connection of its own that a session keeps open: it listens for hints and holds the session's liveness lock, over
 * lost connections, until closed. A hint missed meanwhile costs one tick.
 */
export class SessionConnection implements Subscription {
  private readonly options: AttendOptions;
  private readonly attendant: SessionAttendant;
  private readonly stop = new AbortController();
  private readonly running: Promise<void>;
  private connection: Connection | undefined;
  private liveness: Liveness | undefined;

  constructor(options: AttendOptions, attendant: SessionAttendant) {
    this.options = options;
    this.attendant = attendant;
    this.running = this.run();
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.connection?.close();
    await this.running;
  }

  private async run(): Promise<void> {
    const { clock, log, warehouse } = this.options;
    let backoffMs = FIRST_BACKOFF_MS;
    while (!this.stop.signal.aborted) {
      try {
        await this.attend(() => {
          backoffMs = FIRST_BACKOFF_MS;
        });
      } catch (error) {
        log.debug({ error: messageOf(error), warehouse }, 'cannot listen for hints; the tick finds the work meanwhile');
      }
      if (this.liveness === 'held') this.say('lost');
      await this.connection?.close();
      await sleep(clock, backoffMs, this.stop.signal).catch(() => undefined);
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    }
  }

  /** One connection, until it ends. */
  private async attend(onOpen: () => void): Promise<void> {
    const { session } = this.options;
    const connection = new Connection(this.options);
    this.connection = connection;
    const ended = Promise.withResolvers<void>();
    // A connection that ended while it was idle is reported here, whatever else is under way.
    const onEnd = (): void => {
      if (this.liveness === 'held') this.say('lost');
      ended.resolve();
    };
    await connection.listen(`conveyor_work_${session}`, (payload) => this.attendant.onHint(payload === 'wish' ? 'wish' : 'work'), onEnd);
    await Promise.race([this.hold(connection), ended.promise]);
    onOpen();
    this.attendant.onHint('work');
    await ended.promise;
  }

  private async hold(connection: Connection): Promise<void> {
    const { liveness, clock, log, warehouse, session } = this.options;
    if (!liveness || !(await connection.isDirect())) {
      if (liveness && this.liveness !== 'unavailable')
        log.warn(
          { warehouse, session },
          'the database is behind a connection pooler: the end of this node is noticed by its lease only, not at once',
        );
      this.say('unavailable');
      return;
    }
    while (!this.stop.signal.aborted) {
      const [row] = await connection.run<{ held: boolean }>(HOLD_SESSION, [session]);
      if (row?.held) return this.say('held');
      await sleep(clock, HOLD_AGAIN_MS, this.stop.signal).catch(() => undefined);
    }
  }

  private say(liveness: Liveness): void {
    if (this.stop.signal.aborted || liveness === this.liveness) return;
    this.liveness = liveness;
    this.attendant.onLiveness(liveness);
  }
}
