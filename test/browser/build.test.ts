import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const ASSETS = new URL('../../console/dist/assets/', import.meta.url);

/** Classes of the component library are named so. */
const CLASS = /\bm_[0-9a-f]{6,8}\b/g;

function read(kind: RegExp): string {
  return readdirSync(ASSETS)
    .filter((name) => kind.test(name))
    .map((name) => readFileSync(new URL(name, ASSETS), 'utf8'))
    .join('\n');
}

describe.skipIf(!existsSync(ASSETS))('the console as it is built', () => {
  it('has the styles of all components that it uses: console/src/mantine-styles.ts names them', () => {
    const library = readFileSync(new URL('../../node_modules/@mantine/core/styles.css', import.meta.url), 'utf8');
    const known = new Set(library.match(CLASS));
    const styled = new Set(read(/\.css$/).match(CLASS));
    const used = new Set(read(/\.js$/).match(CLASS));
    expect(used.size).toBeGreaterThan(50);
    expect([...used].filter((name) => known.has(name) && !styled.has(name))).toEqual([]);
  });

  it('names the files of each page in its document, so that they come together with the rest', () => {
    const page = readFileSync(new URL('../index.html', ASSETS), 'utf8');
    const named = JSON.parse(/new Map\((\[\[.*?\]\]\])\)/.exec(page)?.[1] ?? '[]') as [folder: string, files: string[]][];
    const folders = readdirSync(new URL('../../console/src/pages/', import.meta.url));
    expect(named.map(([folder]) => folder).sort()).toEqual(folders.sort());
    for (const [folder, files] of named) {
      expect(files.filter((file) => new RegExp(`^/assets/${folder}-.{8}\\.js$`).test(file))).toHaveLength(1);
      expect(files.filter((file) => !existsSync(new URL(`..${file}`, ASSETS)) || page.includes(`"${file}" nonce`))).toEqual([]);
    }
  });
});
