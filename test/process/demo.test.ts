import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { waitUntil } from '#test/waiting.ts';

describe('conveyor demo', () => {
  it('tells the story, exits 0, and leaves nothing behind; 1 when a violation is planted', async () => {
    const demos = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith('conveyor-demo-'));
    const before = await demos();
    const [told, planted] = await Promise.all([
      runConveyor(['demo', '--orders', '150', '--json'], { cwd: tmpdir() }),
      runConveyor(['demo', '--orders', '150', '--plant-violation'], { cwd: tmpdir() }),
    ]);
    expect(told.exitCode).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({
      accepted: 150,
      lost: 0,
      violations: [],
      verdict: 'passed',
      takeover_s: expect.any(Number),
    });
    expect(JSON.parse(told.stdout).handed_over).toBeGreaterThan(0);
    expect(told.stderr).toMatch(/kill -9 (anna|bert|cleo)[\s\S]*is paused \(SIGSTOP\)[\s\S]*it began a new session/);
    expect(planted.exitCode).toBe(1);
    expect(planted.stdout).toMatch(/I12 order [0-9a-f-]{36}: [\s\S]*The histories break what Conveyor promises/);
    expect(await demos()).toEqual(before);
  });

  it('ends all that it started when its terminal is closed', async () => {
    const folder = async (): Promise<string | undefined> => (await readdir(tmpdir())).find((name) => name.startsWith('conveyor-demo-'));
    const demo = startConveyor(['demo'], { cwd: tmpdir() });
    await demo.waitFor(/They are at work/);
    const children = (): string[] => readFileSync(`/proc/${demo.pid}/task/${demo.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    const started = children();
    expect(started.length).toBeGreaterThanOrEqual(3);
    demo.kill('SIGHUP');
    expect((await demo.ended).exitCode).toBe(130);
    await waitUntil(
      'all of it to be gone',
      async () => started.every((pid) => !existsSync(`/proc/${pid}`)) && (await folder()) === undefined,
    );
  });
});
