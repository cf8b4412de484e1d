import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Pressure } from './pressure.ts';
import { handleClientError } from './problem.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

interface Held {
  url: string | undefined;
  response: ServerResponse;
}

/** A server under pressure that answers only what it is told to, except `/health`. */
async function open(most: number) {
  const held: Held[] = [];
  let arrived = Promise.withResolvers<void>();
  const server = createServer((incoming: IncomingMessage, response) => {
    incoming.resume();
    if (incoming.url === '/health') return void response.end('well');
    held.push({ url: incoming.url, response });
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  new Pressure(most).guard(server);
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const untilHeld = async (count: number): Promise<void> => {
    while (held.length < count) await arrived.promise;
  };
  return { server, port, held, untilHeld };
}

async function ask(
  port: number,
  method: string,
  path: string,
): Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }> {
  const sent = request({ port, host: '127.0.0.1', method, path, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let body = '';
  for await (const part of response) body += String(part);
  return { status: response.statusCode, headers: response.headers, body };
}

describe('pressure', () => {
  it('a socket that sends ahead is not read until it was answered, and then goes on', async () => {
    const { port, held, untilHeld } = await open(100);
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const send = (path: string): boolean => socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`);
    send('/1');
    await untilHeld(1);
    send('/2');
    await untilHeld(2);
    send('/3');
    // Whatever was readable before this was asked has been read when it is answered.
    for (let turn = 0; turn < 3; turn += 1) expect((await ask(port, 'GET', '/health')).body).toBe('well');
    expect(held.map(({ url }) => url)).toEqual(['/1', '/2']);
    held[0]?.response.end();
    await untilHeld(3);
    expect(held.map(({ url }) => url)).toEqual(['/1', '/2', '/3']);
  });

  it('a socket that is not read and then sends no HTTP is closed, and does not stay for ever', async () => {
    const { server, port, untilHeld } = await open(100);
    server.on('clientError', handleClientError);
    const opened = once(server, 'connection');
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const [ours] = (await opened) as [Socket];
    const closed = once(ours, 'close');
    const order = 'POST /orders HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}';
    socket.write(`${order}${order}no HTTP\r\n\r\n`);
    await untilHeld(2);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    const [head = '', body = ''] = String(answer).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 400 /);
    const security = Object.entries(SECURITY_HEADERS).map(([name, value]) => `${name}: ${value}`);
    const own = [
      'content-type: application/problem+json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      'connection: close',
    ];
    expect(head.split('\r\n').slice(1)).toEqual(expect.arrayContaining([...own, ...security]));
    expect(JSON.parse(body)).toMatchObject({ code: 'invalid-request', status: 400 });
    await closed;
  });

  it('a socket that was refused something is read again', async () => {
    const { port, held, untilHeld } = await open(1);
    const first = ask(port, 'POST', '/orders');
    await untilHeld(1);
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    const answers: string[] = [];
    socket.on('data', (data) => answers.push(...(String(data).match(/HTTP\/1.1 \d+/g) ?? [])));
    const untilAnswered = async (count: number): Promise<void> => {
      while (answers.length < count) await once(socket, 'data');
    };
    const send = (path: string): boolean => socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}`);
    send('/orders');
    await untilAnswered(1);
    send('/orders');
    await untilAnswered(2);
    expect(answers).toEqual(['HTTP/1.1 503', 'HTTP/1.1 503']);
    held[0]?.response.end();
    await first;
    send('/orders');
    await untilHeld(2);
    held[1]?.response.end();
    await untilAnswered(3);
    expect(answers.at(-1)).toBe('HTTP/1.1 200');
  });

  it('new orders beyond the bound are refused at once, everything else is answered', async () => {
    const { port, held, untilHeld } = await open(1);
    const first = ask(port, 'POST', '/orders');
    await untilHeld(1);
    const refused = await ask(port, 'POST', '/orders');
    expect(refused).toMatchObject({
      status: 503,
      headers: {
        ...{ 'content-type': 'application/problem+json; charset=utf-8', 'content-length': String(Buffer.byteLength(refused.body)) },
        ...{ ...SECURITY_HEADERS, 'retry-after': expect.stringMatching(/^\d+$/) },
      },
    });
    expect(JSON.parse(refused.body)).toMatchObject({ code: 'overloaded', status: 503 });
    expect(await ask(port, 'GET', '/health')).toMatchObject({ status: 200, body: 'well' });
    held[0]?.response.end('stored');
    expect(await first).toMatchObject({ status: 200, body: 'stored' });
    const next = ask(port, 'POST', '/orders');
    await untilHeld(2);
    held[1]?.response.end();
    expect((await next).status).toBe(200);
  });
});
