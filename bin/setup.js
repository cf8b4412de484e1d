// Run before `npm start` and `npm test`: installs what package-lock.json names, once. Plain JavaScript for any Node.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
const marker = new URL('node_modules/.conveyor-installed', root);
const lock = new URL('.conveyor-setup.lock/', root);
const LOCK_POLL_MS = 200;

/** What has to be installed; a marker with the same text says that it is. */
function wanted() {
  const hash = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', root)))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

function isInstalled() {
  return existsSync(marker) && readFileSync(marker, 'utf8') === wanted();
}

/** One set-up at a time: two terminals may start together. A lock whose process is gone is taken over. */
async function takeLock() {
  for (;;) {
    try {
      mkdirSync(lock);
      writeFileSync(new URL('pid', lock), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      if (isAbandoned()) rmSync(lock, { recursive: true, force: true });
      else await sleep(LOCK_POLL_MS);
    }
  }
}

function isAbandoned() {
  try {
    const pid = Number(readFileSync(new URL('pid', lock), 'utf8'));
    if (!pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

/**
 * `npm ci` would refuse a lock file that lacks the packages of platforms which a registry does not carry;
 * `npm install --no-save` takes the same versions with the same hashes from it and leaves it as it is.
 */
function install() {
  console.error('conveyor: installing packages, once …');
  const { status, error } = spawnSync('npm', ['install', '--no-save', '--loglevel=error', '--no-audit', '--no-fund'], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status === 0) return true;
  console.error(
    `conveyor: \`npm ci\` failed${error ? ` (${error.message})` : ''}; its message is above. Check the network and the npm registry, then run it again.`,
  );
  return false;
}

/** Lets `npx conveyor` find the command of this checkout. */
function linkCommand() {
  const link = new URL('node_modules/.bin/conveyor', root);
  chmodSync(new URL('bin/conveyor.js', root), 0o755);
  rmSync(link, { force: true });
  symlinkSync('../../bin/conveyor.js', link);
}

if (!isInstalled()) {
  await takeLock();
  try {
    if (isInstalled() || install()) {
      linkCommand();
      writeFileSync(marker, wanted());
    } else process.exitCode = 1;
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}
