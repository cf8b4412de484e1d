import { type Clock, sleep } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import type { Hint, Subscription } from '#engine/store.ts';
import { Connection, type ConnectionOptions } from './connect.ts';
import { wakeNodes } from './sessions.ts';

/** No more than one hint in this time: a NOTIFY takes a lock of the whole server until its commit is done. */
const MIN_GAP_MS = 5;

/** Sends hints on a connection of its own, outside every order's statement; what comes meanwhile is added up. */
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

  private async sendAll(): Promise<void> {
    while (this.orderCount > 0) {
      const count = this.orderCount;
      this.orderCount = 0;
      await wakeNodes(this.connection, count);
      await sleep(this.clock, MIN_GAP_MS);
    }
  }
}

const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;

/** Listens for a session's hints until closed, over lost connections. A hint missed meanwhile costs one tick. */
export function listenForHints(options: ConnectionOptions, session: number, onHint: (hint: Hint) => void, log: Log): Subscription {
  const stop = new AbortController();
  let connection: Connection | undefined;
  let lost: (() => void) | undefined;

  const run = async (): Promise<void> => {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!stop.signal.aborted) {
      connection = new Connection(options);
      try {
        const ended = new Promise<void>((resolve) => {
          lost = resolve;
        });
        await connection.listen(
          `conveyor_work_${session}`,
          (payload) => onHint(payload === 'wish' ? 'wish' : 'work'),
          () => lost?.(),
        );
        backoffMs = FIRST_BACKOFF_MS;
        onHint('work');
        await ended;
      } catch (error) {
        log.debug({ error, warehouse: options.warehouse }, 'cannot listen for hints; the tick finds the work meanwhile');
      }
      await connection.close();
      await sleep(options.clock, backoffMs, stop.signal).catch(() => undefined);
      backoffMs = Math.min(MAX_BACKOFF_MS, backoffMs * 2);
    }
  };
  const running = run();
  return {
    async close() {
      stop.abort();
      lost?.();
      await connection?.close();
      await running;
    },
  };
}
