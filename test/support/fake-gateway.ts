import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeAnswer {
  status: number;
  headers?: Record<string, string>;
  /** An object is sent as JSON, a text as it is; `undefined` cuts the connection. */
  body: unknown;
}

export interface FakeRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** An HTTP server that answers as a test tells it to, for clients that must cope with whatever answers. */
export async function startFakeGateway(
  answer: (request: FakeRequest) => FakeAnswer,
): Promise<{ endpoint: string; requests: FakeRequest[]; stop(): Promise<void> }> {
  const requests: FakeRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const request = { method: incoming.method ?? '', path: incoming.url ?? '', headers: incoming.headers, body };
    requests.push(request);
    const { status, headers, body: answered } = answer(request);
    if (answered === undefined) return incoming.socket.destroy();
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers });
    return outgoing.end(typeof answered === 'string' ? answered : JSON.stringify(answered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
