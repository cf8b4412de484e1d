import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a database that a test can cut, as a cable or a dead server would. */
export interface CuttableWay {
  /** Of the database, through this way. */
  url: string;
  /** Ends what is connected and refuses what comes, as a machine without the server does. */
  cut(): void;
  /** Keeps what is connected and answers nothing, as a cut cable does. */
  hang(): void;
  restore(): void;
  close(): Promise<void>;
}

export async function openCuttableWay(databaseUrl: string): Promise<CuttableWay> {
  const target = new URL(databaseUrl);
  let state: 'open' | 'cut' | 'hanging' = 'open';
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((inner) => {
    if (state === 'cut') {
      inner.resetAndDestroy();
      return;
    }
    const outer = connect({ host: target.hostname, port: Number(target.port) });
    const pair: [Socket, Socket] = [inner, outer];
    pairs.add(pair);
    for (const [one, other] of [pair, [outer, inner] as const]) {
      one.on('error', () => other.destroy());
      one.on('close', () => {
        other.destroy();
        pairs.delete(pair);
      });
    }
    if (state === 'hanging') return;
    join(pair);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const endAll = (): void => {
    for (const [inner, outer] of pairs) {
      inner.resetAndDestroy();
      outer.destroy();
    }
  };
  return {
    url: url.href,
    cut() {
      state = 'cut';
      endAll();
    },
    hang() {
      state = 'hanging';
      for (const [inner, outer] of pairs) {
        inner.unpipe(outer).pause();
        outer.unpipe(inner).pause();
      }
    },
    restore() {
      // What hung lost bytes for good: such connections have to be made anew.
      if (state === 'hanging') endAll();
      state = 'open';
    },
    async close() {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}

function join([inner, outer]: [Socket, Socket]): void {
  inner.pipe(outer);
  outer.pipe(inner);
}
