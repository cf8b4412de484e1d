import { lockDataDir } from '#embedded/data-dir-lock.ts';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';

/*
 * A process of its own for test/integration/embedded.test.ts: takes a lock or starts a server, says so in one line of JSON, and
 * stays until it is killed or its standard input ends; then it leaves the server behind (`leave`) or stops it (`stop`).
 */
const [what, dataDir, end] = process.argv.slice(2);
if (!dataDir) throw new Error('a data folder is needed');

if (what === 'lock') {
  const lock = await lockDataDir(dataDir, { url: 'http://localhost:1234' });
  report({ pid: process.pid });
  await endOfInput();
  await lock.release();
} else {
  const server = await startEmbedded({ warehouse: 'HCM', dataDir, log: silentLog, clock: systemClock });
  report({ pid: server.pid, reused: server.reused, url: server.url, uid: process.getuid?.() });
  await endOfInput();
  if (end === 'stop') await server.stop();
}
process.exit(0);

function report(facts: object): void {
  process.stdout.write(`${JSON.stringify(facts)}\n`);
}

async function endOfInput(): Promise<void> {
  for await (const _ of process.stdin);
}
