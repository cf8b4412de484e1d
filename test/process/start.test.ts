import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ConveyorProcess, runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { openFolder } from '#test/folders.ts';

const CURL = /curl -X POST --data "\{\}" -H "Authorization:(\S+)" (http:\/\/localhost:\d+)\/orders/;

describe('conveyor start', () => {
  let folder: string;
  let running: ConveyorProcess | undefined;
  beforeEach(async () => {
    folder = await openFolder('conveyor-start-');
  });
  afterEach(async () => {
    running?.kill('SIGTERM');
    await running?.ended;
    running = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function start(...args: string[]): Promise<{ process: ConveyorProcess; url: string; token: string }> {
    running = startConveyor(['start', '--port', '0', '--step-duration', '10ms', '--failure-rate', '0', ...args], { cwd: folder });
    const [, token = '', url = ''] = await running.waitFor(CURL);
    return { process: running, url, token };
  }

  const conveyor = (...args: string[]) => runConveyor(args, { cwd: folder });

  async function placeOrder(url: string, token: string): Promise<string> {
    const response = await fetch(`${url}/orders`, {
      method: 'POST',
      body: '{}',
      headers: { authorization: token, 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(response.status).toBe(202);
    return ((await response.json()) as { order_id: string }).order_id;
  }

  it('prints where everything is, masks the password, and carries orders', async () => {
    const { process, url, token } = await start();
    const orderId = await placeOrder(url, token);
    const order = await conveyor('orders', 'get', orderId, '--wait', '--endpoint', url, '--json');
    expect(order).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(order.stdout)).toMatchObject({ order_id: orderId, status: 'completed', current_step: 'Completed' });
    const history = await conveyor('orders', 'events', orderId, '--follow', '--endpoint', url, '-o', 'jsonl');
    expect(
      history.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).kind),
    ).toEqual(expect.arrayContaining(['accepted', 'completed']));
    process.kill('SIGTERM');
    const { exitCode, stdout, stderr } = await process.ended;
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /SIGTERM: stopping[\s\S]*stopping the gateway[\s\S]*stopping node[\s\S]*stopping the databases of warehouse HCM, HN, DN/,
    );
    for (const label of [
      'API',
      'Documentation',
      'Health',
      'Node HN',
      'Warehouse HCM',
      'Warehouse HN',
      'Warehouse DN',
      'Data folder',
      'Tokens',
    ])
      expect(stdout).toMatch(new RegExp(`^ {2}${label}  +\\S`, 'm'));
    expect(stdout).toMatch(/postgres:\/\/conveyor:\*\*\*@127\.0\.0\.1:\d+\/conveyor/);
  });

  it('keeps its data and its id over a restart', async () => {
    const first = await start();
    const orderId = await placeOrder(first.url, first.token);
    expect((await conveyor('orders', 'get', orderId, '--wait', '--endpoint', first.url)).exitCode).toBe(0);
    const idOf = async (url: string) => ((await (await fetch(`${url}/diagnostic/heartbeat`)).json()) as { service_id: string }).service_id;
    const id = await idOf(first.url);
    first.process.kill('SIGTERM');
    await first.process.ended;
    const second = await start();
    expect(await idOf(second.url)).toBe(id);
    expect((await conveyor('orders', 'get', orderId, '--endpoint', second.url)).exitCode).toBe(0);
  });

  it('says what runs when the folder is in use', async () => {
    const { url } = await start();
    const { exitCode, stderr } = await conveyor('start', '--port', '0');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: Conveyor already runs on this folder: pid \d+/);
    expect(stderr).toContain(url);
  });

  it('ends at once on a second signal', async () => {
    const { process, url, token } = await start('--step-duration', '1h', '--drain-timeout', '1h');
    const orderId = await placeOrder(url, token);
    const statusOf = async () =>
      ((await (await fetch(`${url}/orders/${orderId}`, { headers: { authorization: token } })).json()) as { status: string }).status;
    await expect.poll(statusOf, { timeout: 10_000 }).toBe('processing');
    process.kill('SIGINT');
    await process.waitFor(/stopping node/);
    // Signals that come together are one key press; only a later one forces.
    const again = setInterval(() => process.kill('SIGINT'), 400);
    const { exitCode, stderr } = await process.ended.finally(() => clearInterval(again));
    expect(exitCode).toBe(130);
    expect(stderr).toContain('stopping at once');
  });

  it('has no development tokens once a real one exists, and then may listen beyond loopback', async () => {
    const refused = await conveyor('start', '--port', '0', '--host', '0.0.0.0');
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('conveyor token create --role operator') });
    const created = await conveyor('token', 'create', '--role', 'customer', '--name', 'acme');
    expect(created).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^cvy_[A-Za-z0-9_-]{43}\n$/) });
    const { url, token } = await start('--host', '0.0.0.0');
    expect(token).toBe('$CONVEYOR_TOKEN');
    const attempt = (authorization: string) =>
      fetch(`${url}/orders`, { method: 'POST', body: '{}', headers: { authorization, 'content-type': 'application/json' } });
    expect((await attempt('user')).status).toBe(401);
    expect((await attempt(created.stdout.trim())).status).toBe(202);
    const revoked = await conveyor('token', 'revoke', 'acme', '--json');
    expect(JSON.parse(revoked.stdout).revoked).toMatchObject([{ name: 'acme', role: 'customer', warehouses: ['HCM', 'HN', 'DN'] }]);
  });

  it('takes its settings from conveyor.config.ts too', async () => {
    await writeFile(join(folder, 'conveyor.config.ts'), "export default { nodeName: 'from-the-file', logFormat: 'json' };\n");
    const { process } = await start();
    process.kill('SIGTERM');
    expect((await process.ended).stderr).toContain('stopping node from-the-file-DN');
  });

  it('stops cleanly when the signal comes before it is ready', async () => {
    running = startConveyor(['start', '--port', '0'], { cwd: folder });
    await running.waitFor(/"msg":"making a new PostgreSQL data folder"/);
    running.kill('SIGINT');
    expect((await running.ended).exitCode).toBe(130);
    expect((await conveyor('migrate')).exitCode).toBe(0);
  });
});
