import { createHash, randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isUuid } from '#domain/ids.ts';

const FILE_NAME = 'node-id';

/** The id of this installation: made once, kept in the data folder. */
export async function readOrCreateId(dataDir: string): Promise<string> {
  const path = join(dataDir, FILE_NAME);
  return (await readId(path)) ?? (await createId(path));
}

async function readId(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const id = text.trim();
  return isUuid(id) ? id : undefined;
}

/** Written aside and moved into place whole: a crash leaves no half of an id, a neighbour's id is kept. */
async function createId(path: string): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  const id = randomUUID();
  const draft = `${path}.${id}`;
  await writeFile(draft, `${id}\n`);
  try {
    await link(draft, path);
    return id;
  } catch (error) {
    const other = await readId(path);
    if (other) return other;
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${path} holds no id; delete it, and the next start makes a new one`);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The same id for the same words, on every start: a UUID of version 8 from their SHA-256. */
export function deriveId(...words: string[]): string {
  const hex = createHash('sha256').update(JSON.stringify(words)).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
