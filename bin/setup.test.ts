import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cp, link, mkdir, mkdtemp, readFile, readlink, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** Notes each call, and takes long enough for a race. */
const NPM = '#!/bin/sh\necho "$@" >> calls\nsleep 0.3\n[ ! -e npm-fails ]\n';

const VITE = `import { appendFileSync, existsSync, mkdirSync } from 'node:fs';
appendFileSync('builds', process.argv.slice(2).join(' ') + '\\n');
if (existsSync('vite-fails')) throw new Error('no bundle today');
mkdirSync('console/dist', { recursive: true });
`;

let root: string;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'conveyor-setup-'));
  await mkdir(join(root, 'fake'));
  await writeFile(join(root, 'fake/npm'), NPM, { mode: 0o755 });
  for (const file of ['setup.js', 'console.js', 'conveyor.js']) await cp(`bin/${file}`, join(root, 'bin', file));
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  await writeFile(join(root, 'package-lock.json'), '{"one":1}');
  env = { ...process.env, PATH: `${join(root, 'fake')}:${process.env['PATH']}` };
});

afterEach(() => rm(root, { recursive: true, force: true }));

const setUp = () => spawnSync(process.execPath, ['bin/setup.js'], { cwd: root, env, encoding: 'utf8' });

/** A checkout with a console, and a bundler that notes each call. */
async function addConsole(): Promise<void> {
  await mkdir(join(root, 'console/src'), { recursive: true });
  await mkdir(join(root, 'node_modules/vite/bin'), { recursive: true });
  await writeFile(join(root, 'node_modules/vite/bin/vite.js'), VITE);
  await writeFile(join(root, 'console/index.html'), '<p>');
  await writeFile(join(root, 'console/src/main.tsx'), 'one');
}

async function npmCalls(): Promise<number> {
  return (await readFile(join(root, 'calls'), 'utf8').catch(() => '')).split('\n').length - 1;
}

async function holdLock(pid: number): Promise<string> {
  const lock = join(root, 'node_modules/.conveyor-setup/lock');
  await mkdir(lock, { recursive: true });
  const file = join(lock, `${pid}-left-behind`);
  await writeFile(file, '');
  return file;
}

describe('the set-up before npm start', () => {
  it('installs once, links the command, and says nothing the next time', async () => {
    expect(setUp()).toMatchObject({ status: 0, stderr: 'conveyor: installing packages, once …\n' });
    expect(await readlink(join(root, 'node_modules/.bin/conveyor'))).toBe('../../bin/conveyor.js');
    expect(setUp()).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await npmCalls()).toBe(1);
  });

  it('installs again when the lock file of the packages changed', async () => {
    setUp();
    await writeFile(join(root, 'package-lock.json'), '{"two":2}');
    expect(setUp().status).toBe(0);
    expect(await npmCalls()).toBe(2);
  });

  it('installs again when a package is missing, whatever the marker says', async () => {
    await writeFile(join(root, 'package.json'), '{"type":"module","devDependencies":{"one":"1"}}');
    await mkdir(join(root, 'node_modules/one'), { recursive: true });
    await writeFile(join(root, 'node_modules/one/package.json'), '{}');
    setUp();
    expect(await npmCalls()).toBe(1);
    await rm(join(root, 'node_modules/one'), { recursive: true });
    setUp();
    expect(await npmCalls()).toBe(2);
  });

  it("leaves alone what a checkout's marker was linked to", async () => {
    await mkdir(join(root, 'node_modules'));
    await writeFile(join(root, 'elsewhere'), 'its own');
    await link(join(root, 'elsewhere'), join(root, 'node_modules/.conveyor-installed'));
    expect(setUp().status).toBe(0);
    expect(await readFile(join(root, 'elsewhere'), 'utf8')).toBe('its own');
  });

  it('builds the console once, and again when one of its files changed', async () => {
    await addConsole();
    expect(setUp().stderr).toContain('building the console');
    expect(setUp()).toMatchObject({ status: 0, stderr: '' });
    await writeFile(join(root, 'console/src/main.tsx'), 'two');
    expect(setUp().stderr).toContain('building the console');
    expect(await readFile(join(root, 'builds'), 'utf8')).toBe('build console\nbuild console\n');
  });

  it('goes on without a console that cannot be built, says so, and tries again the next time', async () => {
    await addConsole();
    await writeFile(join(root, 'vite-fails'), '');
    const failed = setUp();
    expect(failed).toMatchObject({ status: 0 });
    expect(failed.stderr).toContain('no bundle today');
    expect(failed.stderr).toContain('the console could not be built (1); the rest runs without it. Try again: npm run console');
    await rm(join(root, 'vite-fails'));
    expect(setUp().stderr).toBe('conveyor: building the console …\n');
  });

  it('fails when npm fails, and tries again the next time', async () => {
    await writeFile(join(root, 'npm-fails'), '');
    const failed = setUp();
    expect(failed.status).toBe(1);
    expect(failed.stderr).toContain('npm install ended with exit code 1');
    await rm(join(root, 'npm-fails'));
    expect(setUp().status).toBe(0);
    expect(await npmCalls()).toBe(2);
  });

  it('installs once when four start together', async () => {
    const all = Array.from({ length: 4 }, () => spawn(process.execPath, ['bin/setup.js'], { cwd: root, env, stdio: 'ignore' }));
    expect(await Promise.all(all.map(async (child) => (await once(child, 'exit'))[0]))).toEqual([0, 0, 0, 0]);
    expect(await npmCalls()).toBe(1);
  });

  it('takes over the lock of a killed one', async () => {
    const dead = Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
    await holdLock(dead);
    expect(setUp().status).toBe(0);
    expect(await npmCalls()).toBe(1);
  });

  it('takes over a lock that nobody touched for long, although its pid is another process by now', async () => {
    const longAgo = new Date(Date.now() - 120_000);
    await utimes(await holdLock(process.pid), longAgo, longAgo);
    expect(setUp().status).toBe(0);
    expect(await npmCalls()).toBe(1);
  });
});

describe('the command without its packages', () => {
  it('says what to run', () => {
    const { status, stderr } = spawnSync(process.execPath, ['bin/conveyor.js', 'start'], { cwd: root, encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain('run `npm install`');
  });
});
