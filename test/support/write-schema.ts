import { rm, writeFile } from 'node:fs/promises';
import { startEmbedded } from '#embedded/server.ts';
import { systemClock } from '#engine/clock.ts';
import { silentLog } from '#engine/log.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { openFolder } from './folders.ts';
import { dumpSchema } from './schema-dump.ts';

/** `npm run schema`: migrates a fresh database and writes its dump. */
const folder = await openFolder('conveyor-schema-');
const server = await startEmbedded({ warehouse: 'HCM', dataDir: folder, log: silentLog, clock: systemClock });
try {
  await migrate(server.url, 'HCM', silentLog);
  await writeFile(new URL('../../sql/schema.sql', import.meta.url), await dumpSchema(server.url));
} finally {
  await server.stop('immediate');
  await rm(folder, { recursive: true, force: true });
}
