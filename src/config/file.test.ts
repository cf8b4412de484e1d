import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfigFile } from './file.ts';

describe('the configuration file', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conveyor-config-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const write = (text: string): Promise<void> => writeFile(join(folder, 'conveyor.config.ts'), text);

  it('may be missing', async () => {
    expect(await readConfigFile(folder)).toBeUndefined();
  });

  it('is a TypeScript module whose default export holds the settings', async () => {
    await write(`const slots: number = 7;\nexport default { slots, workflows: [{ name: 'gift', version: 1, steps: [] }] };\n`);
    expect(await readConfigFile(folder)).toMatchObject({ slots: 7, workflows: [{ name: 'gift' }] });
  });

  it.each([
    ['export const slots = 7;', /has no settings/],
    ['export default [1];', /has no settings/],
    ['export default { workflows: [42] };', /workflows in conveyor.config.ts/],
    ["throw new Error('broken on purpose');", /cannot be read: broken on purpose/],
    ['export default {', /cannot be read/],
  ])('is refused when it says %j', async (text, message) => {
    await write(text);
    await expect(readConfigFile(folder)).rejects.toThrow(message);
  });
});
