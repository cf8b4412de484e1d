import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** The peers' packages stand apart from the project's own: they are installed only when somebody compares. */
export function installPeers(): void {
  if (existsSync(`${folder}node_modules/.package-lock.json`)) return;
  console.error('installing the peers of this comparison into bench/peers/node_modules (npm ci) …');
  try {
    execFileSync('npm', ['ci'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  } catch {
    console.error('npm ci did not succeed; what is not there is left out');
  }
}

/** Its version, or undefined if it is not installed. */
export function versionOf(packageName: string): string | undefined {
  try {
    const text = readFileSync(`${folder}node_modules/${packageName}/package.json`, 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  } catch {
    return undefined;
  }
}
