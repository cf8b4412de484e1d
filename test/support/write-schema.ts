import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { dumpSchema } from './schema-dump.ts';

/** `npm run schema`: migrates a fresh database and writes its dump. */
const folder = await mkdtemp(join(tmpdir(), 'conveyor-schema-'));
const server = await startEmbedded({ warehouse: 'HCM', dataDir: folder, log: silentLog, clock: systemClock });
try {
  await migrate(server.url, 'HCM', silentLog);
  await writeFile(new URL('../../sql/schema.sql', import.meta.url), await dumpSchema(server.url));
} finally {
  await server.stop('immediate');
  await rm(folder, { recursive: true, force: true });
}
