import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isUuid } from '#domain/ids.ts';
import { deriveId, readOrCreateId } from './identity.ts';

describe('the id of an installation', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conveyor-id-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is made once and kept, also when many ask at once', async () => {
    const dataDir = join(folder, 'data');
    const ids = await Promise.all(Array.from({ length: 20 }, () => readOrCreateId(dataDir)));
    expect(new Set(ids).size).toBe(1);
    expect(isUuid(ids[0] as string)).toBe(true);
    expect(await readOrCreateId(dataDir)).toBe(ids[0]);
    expect(await readdir(dataDir)).toEqual(['node-id']);
    expect((await readFile(join(dataDir, 'node-id'), 'utf8')).trim()).toBe(ids[0]);
  });

  it('is not made up where the file holds something else', async () => {
    await writeFile(join(folder, 'node-id'), 'garbage');
    await expect(readOrCreateId(folder)).rejects.toThrow(/holds no id; delete it/);
  });
});

describe('a derived id', () => {
  it('is a UUID, the same for the same words and another for others', () => {
    expect(isUuid(deriveId('node', 'a'))).toBe(true);
    expect(deriveId('node', 'a')).toBe(deriveId('node', 'a'));
    expect(new Set([deriveId('node', 'a'), deriveId('node', 'b'), deriveId('nodea'), deriveId('gateway', 'a')]).size).toBe(4);
  });
});
