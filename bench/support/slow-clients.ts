import { connect, type Socket } from 'node:net';

const BYTE_EVERY_MS = 20;

/** Clients that send their request, and read what they get, a byte at a time; they begin again where they were cut off. */
export function startSlowClients(url: string, request: Buffer, count: number): { stop(): void } {
  const { hostname, port } = new URL(url);
  const open = (): { socket: Socket; sent: number } => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    socket.on('error', () => undefined);
    socket.pause();
    return { socket, sent: 0 };
  };
  const clients = Array.from({ length: count }, open);
  const timer = setInterval(() => {
    for (const [index, client] of clients.entries()) {
      if (client.socket.destroyed) clients[index] = open();
      else if (!client.socket.connecting) {
        client.socket.write(request.subarray(client.sent, client.sent + 1));
        client.sent = (client.sent + 1) % request.length;
        client.socket.read(1);
      }
    }
  }, BYTE_EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      for (const { socket } of clients) socket.destroy();
    },
  };
}
