// Builds the console when its files have changed since it was built. Plain JavaScript for any Node.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const marker = new URL('console/dist/.built', root);
/** What the bundle is made of: its own files, what is pure of the server's, and the packages. */
const SOURCES = ['console/index.html', 'console/vite.config.ts', 'console/public/', 'console/src/', 'src/domain/', 'package-lock.json'];

/** There is nothing to build: it is built from what lies here, or this checkout has no console. */
export function isConsoleBuilt() {
  if (!existsSync(new URL('console/index.html', root))) return true;
  return existsSync(marker) && readFileSync(marker, 'utf8') === fingerprint();
}

/** Takes some seconds. Without a console everything else still runs, so a failure is told and no more. Answers whether it was built. */
export async function buildConsole() {
  const wanted = fingerprint();
  console.error('conveyor: building the console …');
  const vite = fileURLToPath(new URL('node_modules/vite/bin/vite.js', root));
  const child = spawn(nodeToUse(), [vite, 'build', 'console'], { cwd: fileURLToPath(root), stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
  }
  const [code] = await once(child, 'close').catch((error) => [error.message]);
  if (code === 0) writeFileSync(marker, wanted);
  else console.error(`${said}conveyor: the console could not be built (${code}); the rest runs without it. Try again: npm run console`);
  return code === 0;
}

/** The packages' own Node where there is one: an old one may be too old for the bundler. */
function nodeToUse() {
  const own = new URL(`node_modules/node-${process.platform}-${process.arch}/bin/node`, root);
  return existsSync(own) ? fileURLToPath(own) : process.execPath;
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((name) => filesOf(new URL(name, root))))
    hash.update(file.href.slice(root.href.length)).update(readFileSync(file));
  return `${hash.digest('hex')}\n`;
}

function filesOf(url) {
  if (!existsSync(url)) return [];
  if (!statSync(url).isDirectory()) return [url];
  return readdirSync(url, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter(({ name }) => !/\.test\.tsx?$/.test(name))
    .flatMap((entry) => filesOf(new URL(entry.isDirectory() ? `${entry.name}/` : entry.name, url)));
}

if (process.argv[1] === fileURLToPath(import.meta.url) && !(await buildConsole())) process.exitCode = 1;
