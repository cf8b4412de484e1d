import { connect, type Socket } from 'node:net';
import { ORDER_BODY } from './load.ts';

export interface RawAnswer {
  status: number;
  hasRetryAfter: boolean;
}

const HEADERS_END = Buffer.from('\r\n\r\n');

/** The bytes of one `POST /orders`. */
export function orderRequest(url: string, body = ORDER_BODY): Buffer {
  const { host } = new URL(url);
  const head = `POST /orders HTTP/1.1\r\nhost: ${host}\r\nauthorization: user\r\ncontent-type: application/json`;
  return Buffer.from(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

/** One connection that costs next to nothing itself: fixed bytes out, of the answers only what they say first. Answers come in order. */
export class RawClient {
  private readonly socket: Socket;
  private readonly onAnswer: (answer: RawAnswer) => void;
  private rest: Buffer = Buffer.alloc(0);
  /** Requests without an answer. */
  waiting = 0;

  private constructor(socket: Socket, onAnswer: (answer: RawAnswer) => void) {
    this.socket = socket;
    this.onAnswer = onAnswer;
    socket.on('data', (chunk) => this.read(chunk));
  }

  static open(url: string, onAnswer: (answer: RawAnswer) => void, onEnd: () => void): Promise<RawClient> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      const client = new RawClient(socket, onAnswer);
      socket.once('connect', () => resolve(client));
      socket.on('error', reject);
      socket.once('close', onEnd);
    });
  }

  /** `count` requests in one go. */
  send(request: Buffer, count = 1): void {
    this.waiting += count;
    this.socket.write(count === 1 ? request : Buffer.concat(Array.from({ length: count }, () => request)));
  }

  private read(chunk: Buffer): void {
    let data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (;;) {
      const headEnd = data.indexOf(HEADERS_END);
      if (headEnd < 0) break;
      const head = data.toString('latin1', 0, headEnd).toLowerCase();
      const length = Number(/\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
      const end = headEnd + HEADERS_END.length + length;
      if (data.length < end) break;
      data = data.subarray(end);
      this.waiting -= 1;
      this.onAnswer({ status: Number(head.slice(9, 12)), hasRetryAfter: head.includes('\nretry-after: ') });
    }
    this.rest = data;
  }
}
