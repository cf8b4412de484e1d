import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findEmbedded } from '#embedded/server.ts';
import { type ConveyorProcess, type Ended, runConveyor, startConveyor } from '#test/conveyor-process.ts';
import { type CuttableWay, openCuttableWay } from '#test/cuttable.ts';
import { createEmptyDatabase, type TestDatabase } from '#test/database.ts';
import { openFolder } from '#test/folders.ts';
import { freePort, waitUntil } from '#test/waiting.ts';
import { runOutage } from '../../bench/chaos/outage.ts';

interface Placed {
  order_id: string;
  warehouse: string;
  routed_because: { code: string; message: string };
}

const started: ConveyorProcess[] = [];
const run = (args: string[], cwd: string, env: Record<string, string> = {}): ConveyorProcess => {
  const process = startConveyor(args, { cwd, env });
  started.push(process);
  return process;
};
afterEach(async () => {
  for (const process of started.splice(0).reverse()) {
    process.kill('SIGTERM');
    await process.ended;
  }
});

async function place(url: string, body: object, key?: string): Promise<Placed> {
  const answer = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { authorization: 'user', 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
  return (await answer.json()) as Placed;
}

describe('conveyor start with its three warehouses', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await openFolder('conveyor-three-');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("keeps each region's orders in a database of its own, shows all three, and lets one be disabled", async () => {
    const start = run(['start', '--port', '0', '--ops-port', '0', '--step-duration', '10ms', '--failure-rate', '0'], folder);
    const [, url = ''] = await start.waitFor(/API +(http:\S+)/);
    for (const name of ['HCM', 'HN', 'DN']) await start.waitFor(new RegExp(`Warehouse ${name} +postgres://`));
    for (const region of ['HCM', 'HN', 'DN']) {
      const { order_id, warehouse } = await place(url, { region });
      expect(warehouse).toBe(region);
      for (const name of ['HCM', 'HN', 'DN']) {
        const client = new pg.Client({ connectionString: await findEmbedded({ warehouse: name, dataDir: join(folder, '.conveyor') }) });
        await client.connect();
        const { rowCount } = await client.query('select from orders where order_id = $1', [order_id]);
        await client.end();
        expect({ name, rowCount }).toEqual({ name, rowCount: name === region ? 1 : 0 });
      }
    }
    const conveyor = (...args: string[]): Promise<Ended> => runConveyor([...args, '--endpoint', url], { cwd: folder });
    const listed = await conveyor('warehouses', '--json');
    expect((JSON.parse(listed.stdout) as { warehouses: object[] }).warehouses).toMatchObject(
      ['HCM', 'HN', 'DN'].map((name) => ({ name, status: 'OK', nodes: 1, slots: 50, gate: { open: true }, open_conflicts: 0 })),
    );
    const disabled = await conveyor('warehouses', 'disable', 'HN', '--reason', 'new disks', '--yes', '--json');
    expect(JSON.parse(disabled.stdout)).toMatchObject({ name: 'HN', status: 'disabled', disabled: { reason: 'new disks' } });
    expect((await place(url, { region: 'HN' })).routed_because).toMatchObject({
      code: 'fallback',
      message: expect.stringContaining('HN is disabled'),
    });
    expect((await conveyor('warehouses')).stdout).toMatch(/^HN +disabled .*by operator: new disks/m);
    expect((await conveyor('warehouses', 'enable', 'HN', '--yes')).stdout).toMatch(/^HN +OK/m);
    expect(await conveyor('warehouses', 'disable', 'MARS', '--yes')).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('no warehouse is called "MARS"; known: HCM, HN, DN'),
    });
    expect((await conveyor('conflicts')).stdout).toBe('No conflicts.\n');
    expect((await conveyor('audit', '-o', 'jsonl')).stdout.match(/"warehouse\.(enable|disable)"/g)).toHaveLength(2);
  });
});

describe('databases that are away at the start', () => {
  let databases: Map<string, { database: TestDatabase; way: CuttableWay }>;
  let env: Record<string, string>;
  beforeEach(async () => {
    databases = new Map();
    for (const name of ['HCM', 'HN']) {
      const database = await createEmptyDatabase();
      databases.set(name, { database, way: await openCuttableWay(database.url) });
    }
    env = { CONVEYOR_WAREHOUSES: [...databases].map(([name, { way }]) => `${name}=${way.url}`).join(' ') };
  });
  afterEach(async () => {
    for (const { database, way } of databases.values()) {
      await way.close();
      await database.drop();
    }
  });
  const wayTo = (name: string): CuttableWay => databases.get(name)?.way as CuttableWay;
  const conveyor = (...args: string[]): Promise<Ended> => runConveyor(args, { cwd: tmpdir(), env });

  it('a gateway starts without one of them, and a node waits for its own; both take it in when it comes, also when it was never used', async () => {
    wayTo('HN').cut();
    const port = await freePort();
    const url = `http://localhost:${port}`;
    const gateway = run(['gateway', '--port', String(port), '--log-format', 'json'], tmpdir(), env);
    await gateway.waitFor(/"msg":"gateway started"/);
    const node = run(['node', '--warehouse', 'HN', '--ops-port', '0', '--step-duration', '10ms', '--log-format', 'json'], tmpdir(), env);
    await node.waitFor(/"warehouse":"HN".*the database cannot be used yet; trying on/);
    const statusOf = async (name: string): Promise<string | undefined> => {
      const { warehouses } = (await (await fetch(`${url}/health`)).json()) as { warehouses: { name: string; status: string }[] };
      return warehouses.find((one) => one.name === name)?.status;
    };
    expect(await statusOf('HN')).toBe('unavailable');
    expect(await place(url, { region: 'HN' })).toMatchObject({ warehouse: 'HCM', routed_because: { code: 'last_resort' } });
    wayTo('HN').restore();
    await node.waitFor(/"msg":"node started"/);
    await waitUntil('the gateway to take HN in', async () => (await statusOf('HN')) === 'OK');
    expect(await place(url, { region: 'HN' })).toMatchObject({ warehouse: 'HN', routed_because: { code: 'home' } });
  });

  it('a gateway waits for the first one, and a signal ends the wait', async () => {
    for (const name of ['HCM', 'HN']) wayTo(name).cut();
    const gateway = run(['gateway', '--port', '0', '--log-format', 'json'], tmpdir(), env);
    await gateway.waitFor(/the database cannot be used yet; trying on/);
    gateway.kill('SIGTERM');
    expect((await gateway.ended).exitCode).toBe(130);
  });

  it('what does not pass by itself stops the start: the database of another warehouse', async () => {
    expect((await conveyor('migrate')).exitCode).toBe(0);
    const { database } = databases.get('HCM') as { database: TestDatabase };
    const wrong = await runConveyor(['gateway', '--port', '0'], { cwd: tmpdir(), env: { CONVEYOR_WAREHOUSES: `DN=${database.url}` } });
    expect(wrong).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('this database belongs to warehouse HCM, not to DN') });
  });

  it('tokens are made, listed and revoked without it; a gateway tells it when it is back', async () => {
    expect((await conveyor('migrate')).exitCode).toBe(0);
    wayTo('HCM').cut();
    const created = await conveyor('token', 'create', '--role', 'operator', '--name', 'ops');
    expect(created).toMatchObject({
      exitCode: 0,
      stderr: expect.stringMatching(/warehouse HCM is left out: .*a gateway tells it of this when it is back/),
    });
    const token = created.stdout.trim();
    expect((await conveyor('token', 'create', '--role', 'customer', '--name', 'acme')).exitCode).toBe(0);
    expect((await conveyor('token', 'revoke', 'acme', '--yes')).exitCode).toBe(0);
    const port = await freePort();
    const gateway = run(['gateway', '--port', String(port), '--log-format', 'json'], tmpdir(), env);
    await gateway.waitFor(/"msg":"gateway started"/);
    const ask = async (): Promise<number> =>
      (await fetch(`http://localhost:${port}/warehouses`, { headers: { authorization: token } })).status;
    expect(await ask()).toBe(200);
    wayTo('HCM').restore();
    await waitUntil('HCM to know the tokens', async () => {
      const listed = await conveyor('token', 'list', '-o', 'jsonl');
      return listed.stdout
        .trim()
        .split('\n')
        .every((line) => line.includes('"warehouses":["HCM","HN"]'));
    });
    const { stdout } = await conveyor('token', 'list', '--json');
    const tokens = (JSON.parse(stdout) as { tokens: { name: string; revoked_at: string | null }[] }).tokens;
    expect(tokens.map(({ name, revoked_at }) => `${name} ${revoked_at === null ? 'valid' : 'revoked'}`)).toEqual([
      'ops valid',
      'acme revoked',
    ]);
    wayTo('HN').cut();
    await waitUntil('HN to be away, and sign-in to work on', async () => (await ask()) === 200);
  });

  it('settings that name warehouses name existing ones', async () => {
    const refused = async (...args: string[]): Promise<Ended> => conveyor('gateway', '--port', '0', ...args);
    expect(await refused('--fallback', 'HN=MARS')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--fallback names the warehouse "MARS"; allowed are HCM, HN'),
    });
    expect(await refused('--default-region', 'MARS')).toMatchObject({ exitCode: 2 });
    expect(await refused('--warehouse-workflow', 'HN=nothing')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('no workflow is called nothing'),
    });
  });
});

describe('the server of one of three warehouses is killed, stays away, and comes back', () => {
  it('I1 I2: nothing is lost; 300 keys sent again all the time end with one processed order each, or with a conflict that is listed', async () => {
    const result = await runOutage({ orders: 240, ordersPerSecond: 30, outageMs: 5_000, stepMs: 200, keyed: 300 });
    expect(result.violations).toEqual([]);
    expect(result.accepted).toBe(540);
    expect(result.processedOnce + result.conflicts).toBe(540);
    expect(result.fallbacks).toBeGreaterThan(0);
    expect(result.unexplained).toBe(0);
  });
});
