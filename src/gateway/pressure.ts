import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ConveyorError } from '#domain/errors.ts';
import { type WrittenProblem, writeProblem } from './problem.ts';

/** A client that sends more before it is answered: so many of its requests are taken up, the others wait in its socket. */
const MOST_PER_SOCKET = 2;

/**
 * Bounds what requests hold in memory. Node takes up whatever a socket brings, and a request whose answer waits costs some
 * kilobytes: a few thousand clients that send ahead were a gigabyte, and left no time for the orders that had been taken.
 * - A socket with enough requests under way is not read until they are answered; what it sends meanwhile waits on its side.
 * - While `most` new orders are under way, further ones are refused before anything is done for them. Everything else is answered:
 *   that is when an operator looks.
 */
export class Pressure {
  private readonly underWay = new WeakMap<Socket, number>();
  /** New orders under way. */
  private orders = 0;
  private readonly most: number;
  /** Written once: there is no time for more when it is needed. */
  private readonly refusal: WrittenProblem;

  constructor(most: number) {
    this.most = most;
    this.refusal = writeProblem(new ConveyorError('overloaded', `${most} new orders are under way already`));
  }

  /** Stands before what the server does with a request. */
  guard(server: Server): void {
    const listeners = server.listeners('request') as RequestListener[];
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
      this.count(request, response);
      if (isNewOrder(request)) {
        if (this.orders >= this.most) return this.refuse(response);
        this.orders += 1;
        response.once('close', () => {
          this.orders -= 1;
        });
      }
      for (const listener of listeners) listener.call(server, request, response);
    });
  }

  private refuse(response: ServerResponse): void {
    response.writeHead(this.refusal.status, this.refusal.headers);
    response.end(this.refusal.body);
  }

  private count(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const count = (this.underWay.get(socket) ?? 0) + 1;
    this.underWay.set(socket, count);
    // Only once its body has been read: a request that is not complete could not be answered any more.
    if (count >= MOST_PER_SOCKET) request.once('end', () => this.holdBack(socket));
    response.once('close', () => this.release(socket));
  }

  private holdBack(socket: Socket): void {
    if ((this.underWay.get(socket) ?? 0) >= MOST_PER_SOCKET) socket.pause();
  }

  private release(socket: Socket): void {
    const count = (this.underWay.get(socket) ?? 1) - 1;
    this.underWay.set(socket, count);
    if (count < MOST_PER_SOCKET && socket.isPaused()) socket.resume();
  }
}

function isNewOrder({ method, url }: IncomingMessage): boolean {
  return method === 'POST' && (url === '/orders' || url === '/order');
}
