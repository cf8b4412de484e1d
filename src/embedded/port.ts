import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { EmbeddedError, USE_EXISTING } from './failure.ts';
import { readIfThere, writePrivate } from './private-file.ts';

/** Below the range from which systems take the ports of outgoing connections, so that a port can be kept over restarts. */
const FIRST_PORT = 20_000;
const PORT_COUNT = 10_000;

/** The port of the last time if it is free, else a free one that becomes the port of the next time. */
export async function choosePort(folder: string, hosts: readonly string[]): Promise<number> {
  const kept = Number(await readIfThere(join(folder, 'port')));
  if (kept > 0 && (await isFree(kept, hosts))) return kept;
  const seed = createHash('sha256').update(folder).digest().readUInt32BE();
  for (let offset = 0; offset < PORT_COUNT; offset += 1) {
    const port = FIRST_PORT + ((seed + offset) % PORT_COUNT);
    if (await isFree(port, hosts)) {
      await writePrivate(join(folder, 'port'), `${port}\n`);
      return port;
    }
  }
  throw new EmbeddedError(
    `No port between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT - 1} can be opened on ${hosts.join(', ')} for PostgreSQL. ` +
      `Check the address given with --host. ${USE_EXISTING}`,
  );
}

async function isFree(port: number, hosts: readonly string[]): Promise<boolean> {
  for (const host of hosts) {
    if (!(await canListen(port, host))) return false;
  }
  return true;
}

function canListen(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: host === '*' ? '::' : host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
