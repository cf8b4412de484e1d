import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { runConveyor } from '#test/conveyor-process.ts';

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
});
