// Run before `npm start`, `npm test` and whatever else needs the packages: installs what package-lock.json names and builds the console, once. Plain JavaScript for any Node.
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildConsole, isConsoleBuilt } from './console.js';

const root = new URL('../', import.meta.url);
const marker = new URL('node_modules/.conveyor-installed', root);
const locks = new URL('node_modules/.conveyor-setup/', root);
const lock = new URL('lock/', locks);
const LOCK_POLL_MS = 200;
const TOUCH_EVERY_MS = 1_000;
/** A holder touches its lock; one that did not for so long is dead, even if its pid is somebody else's by now. */
const STALE_AFTER_MS = 60_000;

/** What has to be installed; a marker with the same text says that it is. */
function wanted() {
  const hash = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', root)))
    .digest('hex');
  return `${hash} ${process.platform}-${process.arch}\n`;
}

/** The marker alone may have been copied, or written through a hard link of another checkout's. */
function isInstalled() {
  return existsSync(marker) && readFileSync(marker, 'utf8') === wanted() && areNamedPackagesThere();
}

function areNamedPackagesThere() {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));
  const names = Object.keys({ ...dependencies, ...devDependencies });
  return names.every((name) => existsSync(new URL(`node_modules/${name}/package.json`, root)));
}

/**
 * One set-up at a time: two terminals may start together. The lock is a folder with one file, named like its holder, so that
 * "remove the dead holder's file" can never hit one that came in between. Gives the holder's file.
 */
async function takeLock() {
  const token = `${process.pid}-${randomUUID()}`;
  const prepared = new URL(`${token}/`, locks);
  mkdirSync(prepared, { recursive: true });
  writeFileSync(new URL(token, prepared), '');
  for (let told = false; ; ) {
    try {
      renameSync(prepared, lock);
      return new URL(token, lock);
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    if (removeDeadHolder()) continue;
    if (!told) console.error('conveyor: waiting for another process that sets this checkout up …');
    told = true;
    await sleep(LOCK_POLL_MS);
  }
}

function removeDeadHolder() {
  try {
    const [name] = readdirSync(lock);
    if (name === undefined) return true;
    const file = new URL(name, lock);
    if (isAlive(Number(name.split('-')[0])) && Date.now() - statSync(file).mtimeMs < STALE_AFTER_MS) return false;
    rmSync(file, { force: true });
    return true;
  } catch (error) {
    // It was released meanwhile.
    if (error.code === 'ENOENT') return true;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * `npm ci` would refuse a lock file that lacks the packages of platforms which a registry does not carry;
 * `npm install --no-save` takes the same versions with the same hashes from it and leaves it as it is.
 */
function install() {
  console.error('conveyor: installing packages, once …');
  return new Promise((resolve) => {
    const child = spawn('npm', ['install', '--no-save', '--loglevel=error', '--no-audit', '--no-fund'], {
      cwd: fileURLToPath(root),
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    // The terminal sends Ctrl-C to npm as well; the lock is given back when npm has ended.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', (error) => resolve(explainFailure(`npm cannot be run: ${error.message}`)));
    child.once('exit', (code, signal) => resolve(code === 0 || explainFailure(`npm install ended with ${signal ?? `exit code ${code}`}`)));
  });
}

function explainFailure(what) {
  console.error(`conveyor: ${what}; see its messages above. Check the network and the npm registry, then run it again.`);
  return false;
}

/** Lets `npx conveyor` find the command of this checkout. */
function linkCommand() {
  const link = new URL('node_modules/.bin/conveyor', root);
  chmodSync(new URL('bin/conveyor.js', root), 0o755);
  mkdirSync(new URL('node_modules/.bin', root), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync('../../bin/conveyor.js', link);
}

function touch(held) {
  try {
    utimesSync(held, new Date(), new Date());
  } catch {
    // Somebody removed node_modules while it was being installed; npm's own message says more than this could.
  }
}

async function setUp() {
  const held = await takeLock();
  const touching = setInterval(() => touch(held), TOUCH_EVERY_MS);
  try {
    // Another process may have installed while this one waited.
    if (!isInstalled()) {
      if (!(await install())) return false;
      linkCommand();
      // A file of its own, whatever else the old one was linked to.
      rmSync(marker, { force: true });
      writeFileSync(marker, wanted());
    }
    if (!isConsoleBuilt()) await buildConsole();
    return true;
  } finally {
    clearInterval(touching);
    rmSync(held, { force: true });
  }
}

if (!(isInstalled() && isConsoleBuilt()) && !(await setUp())) process.exitCode = 1;
