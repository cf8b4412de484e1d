import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type ConveyorProcess, startConveyor } from '#test/conveyor-process.ts';
import { openFolder } from '#test/folders.ts';
import { waitUntil } from '#test/waiting.ts';

const BIN = fileURLToPath(new URL('../../bin/conveyor.js', import.meta.url));
const SYSTEM_NODE = '/usr/bin/node';
const version = spawnSync(SYSTEM_NODE, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
const isOld = /^v(1\d|2[0-3])\./.test(version);
if (!isOld) console.warn(`left out: an old Node hands over to a newer one; ${SYSTEM_NODE} is ${version || 'not there'}`);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // Who has ended and was not asked about is still there.
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe.skipIf(!isOld)('started by an old Node, which hands over to a newer one', () => {
  it('both end when the one that was started is killed hard, and the next start goes on', async () => {
    const folder = await openFolder('conveyor-old-');
    const args = ['start', '--embedded', 'HCM', '--port', '0', '--ops-port', '0'];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('CONVEYOR_')));
    const started = spawn(SYSTEM_NODE, [BIN, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'ignore'] });
    let said = '';
    started.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    let next: ConveyorProcess | undefined;
    try {
      await waitUntil('it to run', () => said.includes('Ctrl-C hands orders back'));
      const [handedTo = 0] = readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').trim().split(' ').map(Number);
      expect(isAlive(handedTo)).toBe(true);
      started.kill('SIGKILL');
      await waitUntil('the newer Node to be gone too', () => !isAlive(handedTo), 10_000);
      next = startConveyor(args, { cwd: folder });
      await next.waitFor(/Ctrl-C hands orders back/);
      next.kill('SIGTERM');
      expect((await next.ended).exitCode).toBe(0);
    } finally {
      started.kill('SIGKILL');
      next?.kill('SIGTERM');
      await next?.ended;
      await rm(folder, { recursive: true, force: true });
    }
  });
});
