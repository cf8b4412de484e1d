import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Timer } from '#engine/clock.ts';

/** A request that is on its way when the gateway begins to close is answered: it has so long to come in. */
const GRACE_MS = 1_000;

/**
 * Browsers open connections ahead of need. Closing a server waits for one that never sent a request as for one that is about to send
 * it, up to a minute: here it ends after a moment.
 */
export class UnusedSockets {
  private readonly clock: Clock;
  private readonly unused = new Set<Socket>();
  private timer: Timer | undefined;

  constructor(server: Server, clock: Clock) {
    this.clock = clock;
    server.on('connection', (socket) => {
      this.unused.add(socket);
      socket.once('close', () => this.unused.delete(socket));
    });
    server.on('request', ({ socket }) => this.unused.delete(socket));
  }

  /** While the server closes. */
  endSoon(): void {
    this.timer = this.clock.after(GRACE_MS, () => {
      for (const socket of this.unused) socket.destroy();
    });
  }

  /** The server has closed. */
  stop(): void {
    this.timer?.cancel();
  }
}
