import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin, type Rolldown } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));

/** The gateway sends files as they lie there: compressed once, here. */
function precompress(): Plugin {
  return {
    name: 'precompress',
    apply: 'build',
    closeBundle() {
      const folder = join(root, 'dist/assets');
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const content = readFileSync(join(folder, name));
        writeFileSync(join(folder, `${name}.br`), brotliCompressSync(content));
        writeFileSync(join(folder, `${name}.gz`), gzipSync(content));
      }
    },
  };
}

/** Tells `index.html` which files each page consists of, besides those that every page has: `[folder, files]` each. */
function namePageFiles(): Plugin {
  return {
    name: 'name-page-files',
    transformIndexHtml: {
      order: 'post',
      handler: (html, { bundle = {} }) => html.replace('__PAGE_FILES__', () => JSON.stringify(filesOfPages(bundle))),
    },
  };
}

function filesOfPages(bundle: Rolldown.OutputBundle): [folder: string, files: string[]][] {
  const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
  const everywhere = new Set<string>();
  for (const entry of chunks.filter(({ isEntry }) => isEntry)) addFiles(entry, bundle, ({ imports }) => imports, everywhere);
  return chunks.flatMap((chunk) => {
    const [, folder] = /\/src\/pages\/(\w+)\/\1\.tsx$/.exec(chunk.facadeModuleId ?? '') ?? [];
    if (folder === undefined) return [];
    const files = new Set(everywhere);
    // What a page loads later, such as the library of its charts, it needs too.
    addFiles(chunk, bundle, ({ imports, dynamicImports }) => [...imports, ...dynamicImports], files);
    return [[folder, [...files].slice(everywhere.size).map((file) => `/${file}`)]];
  });
}

/** Adds the chunk's file, those of the chunks that it leads to, and their styles, to those that are known already. */
function addFiles(
  chunk: Rolldown.OutputChunk,
  bundle: Rolldown.OutputBundle,
  next: (chunk: Rolldown.OutputChunk) => readonly string[],
  files: Set<string>,
): void {
  if (files.has(chunk.fileName)) return;
  files.add(chunk.fileName);
  for (const style of chunk.viteMetadata?.importedCss ?? []) files.add(style);
  for (const name of next(chunk)) if (bundle[name]?.type === 'chunk') addFiles(bundle[name], bundle, next, files);
}

export default defineConfig({
  root,
  plugins: [react(), namePageFiles(), precompress()],
  // The gateway puts a fresh nonce in for each page.
  html: { cspNonce: '__NONCE__' },
  build: {
    ...{ target: 'es2023', assetsInlineLimit: 0, reportCompressedSize: false, chunkSizeWarningLimit: 900 },
    // What several pages use is one file, not a dozen small ones.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] } } },
  },
});
