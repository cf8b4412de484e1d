import { rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Ended, runConveyor } from '#test/conveyor-process.ts';
import { type FakeAnswer, startFakeGateway } from '#test/fake-gateway.ts';
import { openFolder } from '#test/folders.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/;

let folder: string;
beforeEach(async () => {
  folder = await openFolder('conveyor-cli-');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const conveyor = (args: string[], env: Record<string, string> = {}): Promise<Ended> => runConveyor(args, { cwd: folder, env });

const COMMANDS = [
  'start',
  'gateway',
  'node',
  'simulate',
  'generate',
  'migrate',
  'orders list',
  'orders get',
  'orders cancel',
  'orders bulk cancel',
  'orders bulk retry',
  'orders bulk list',
  'orders bulk stop',
  'orders events',
  'warehouses',
  'warehouses disable',
  'warehouses forget',
  'conflicts',
  'conflicts resolve',
  'token create',
  'token list',
  'token revoke',
];

describe('every command', () => {
  it.each(COMMANDS)('%s has help with an example', async (command) => {
    const { exitCode, stdout, stderr } = await conveyor([...command.split(' '), '--help']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(`Usage: conveyor ${command}`);
    expect(stdout).toMatch(new RegExp(`Examples:\n.*conveyor ${command}`));
  });

  it.each(COMMANDS)('%s ends with 2 for an option that does not exist', async (command) => {
    const { exitCode, stdout, stderr } = await conveyor([...command.split(' '), '--no-such-option']);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^error: (unknown option '--no-such-option'|required option)/);
  });
});

describe('wrong usage', () => {
  it.each([
    [[], /Usage: conveyor/],
    [['strat'], /unknown command 'strat'\n\(Did you mean start\?\)/],
    [['orders'], /Usage: conveyor orders/],
    [['orders', 'get'], /missing required argument 'id'/],
    [['orders', 'list', '--limit', '0'], /A whole number from 1 to 10000 is expected/],
    [['orders', 'list', '-o', 'xml'], /Allowed choices are table, wide, json, jsonl, yaml/],
    [['simulate', '--timeout', 'soon'], /A duration such as 250ms, 5s or 10m is expected/],
    [['token', 'create', '--name', 'a'], /required option '--role <role>' not specified/],
    [['token', 'create', '--role', 'king', '--name', 'a'], /Allowed choices are customer, operator/],
    [['token', 'create', '--role', 'customer', '--name', 'a b'], /1 to 64 of/],
    [['gateway'], /error: no database is given, and no embedded one runs in/],
    [['orders', 'list', '--endpoint', 'http://conveyor.example'], /error: no token for http:\/\/conveyor.example/],
  ])('%j ends with 2 and says why', async (args, message) => {
    const { exitCode, stdout, stderr } = await conveyor(args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('wrong settings', () => {
  it('stop the start with a line for each', async () => {
    await writeFile(join(folder, 'conveyor.config.ts'), "export default { failureRate: 2, colour: 'red' };\n");
    const { exitCode, stdout, stderr } = await conveyor(['start', '--slots', '0', '--heartbeat', '2s'], { CONVEYOR_PORT: 'http' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^error: "colour" in conveyor.config.ts is no setting; allowed are /),
      'error: CONVEYOR_PORT is "http"; allowed is a whole number from 0 to 65535',
      'error: failureRate in conveyor.config.ts is "2"; allowed is a number from 0 to 1',
      'error: --slots is "0"; allowed is a whole number from 1 to 1000',
      'error: --heartbeat is 2s; allowed is at most 1s with a lease (--lease-ttl) of 3s, a third of it',
    ]);
  });

  it('never show the password of a database', async () => {
    const { exitCode, stderr } = await conveyor(['migrate'], {
      CONVEYOR_WAREHOUSES: 'HCM=postgres://u:canary@db:port/x H N=mysql://u:canary@db',
    });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error: CONVEYOR_WAREHOUSES is wrong: HCM has no valid URL/);
    expect(stderr).not.toContain('canary');
  });

  it('name a workflow that nobody defines', async () => {
    const { exitCode, stderr } = await conveyor(['start', '--workflow', 'gift'], {});
    expect(exitCode).toBe(2);
    expect(stderr).toContain('no workflow is called gift; known: order');
  });

  it('a taken port is said in one line, before anything is started', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const { exitCode, stderr } = await conveyor(['start', '--port', String(port)]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(`error: port ${port} on 127.0.0.1 is used by another program; choose another with --port`);
    } finally {
      other.close();
    }
  });
});

describe('orders through a gateway', () => {
  const ID = '0199f3c2-8d6e-7a41-9c52-3e0f7f0a1b2c';
  const HOSTILE = '\u001b[31mred\u009b2J\r\nforged\u2028';
  const order = {
    order_id: ID,
    status: 'failed',
    current_step: 'Failed',
    start_time: '2026-01-01T00:00:00.000Z',
    customer_name: HOSTILE,
    steps: [{ step_name: 'Scheduling', error: { message: HOSTILE } }, { step_name: 'Failed' }],
  };
  const problem = { title: 'No such order', detail: `none called ${HOSTILE}`, advice: 'Check the id.' };

  async function against(answer: FakeAnswer, args: string[]): Promise<Ended> {
    const gateway = await startFakeGateway(() => answer);
    try {
      return await conveyor(args, { CONVEYOR_ENDPOINT: gateway.endpoint });
    } finally {
      await gateway.stop();
    }
  }

  it.each(['table', 'wide', 'json', 'jsonl', 'yaml'])('show hostile data as text (%s)', async (format) => {
    for (const [args, body] of [
      [['orders', 'get', ID], order],
      [['orders', 'list'], { orders: Array(50).fill(order), has_more: true, next_cursor: HOSTILE }],
      [['orders', 'events', ID], { events: [{ version: 1, kind: 'accepted', data: { note: HOSTILE } }] }],
    ] as const) {
      const { exitCode, stdout, stderr } = await against({ status: 200, body }, [...args, '-o', format]);
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.not.stringMatching(CONTROLS) });
      expect(stdout).not.toMatch(CONTROLS);
      if (format === 'json') expect(JSON.parse(stdout)).toEqual(body);
    }
  });

  it('are listed page by page up to the limit', async () => {
    const gateway = await startFakeGateway(({ path }) => {
      const query = new URL(path, 'http://x').searchParams;
      const from = Number(query.get('cursor') ?? 0);
      const orders = Array.from({ length: Number(query.get('limit')) }, (_, index) => ({ ...order, order_id: `o-${from + index}` }));
      return { status: 200, body: { orders, has_more: true, next_cursor: String(from + orders.length) } };
    });
    try {
      const { stdout, stderr } = await conveyor(['orders', 'list', '--limit', '450', '--status', 'failed', '--json'], {
        CONVEYOR_ENDPOINT: gateway.endpoint,
      });
      const page = JSON.parse(stdout);
      expect(page).toMatchObject({ has_more: true, next_cursor: '450' });
      expect(page.orders.map(({ order_id }: { order_id: string }) => order_id)).toEqual(
        Array.from({ length: 450 }, (_, index) => `o-${index}`),
      );
      expect(gateway.requests.map(({ path }) => path)).toEqual([
        '/orders?status=failed&limit=200',
        '/orders?status=failed&limit=200&cursor=200',
        '/orders?status=failed&limit=50&cursor=400',
      ]);
      expect(stderr).toContain('--cursor "450"');
    } finally {
      await gateway.stop();
    }
  });

  it('that match are counted before anything is done to them, and then only what was asked', async () => {
    const preview = { matching: 10_000, matching_is_lower_bound: true, sample: [order], missing_warehouses: ['DN'] };
    const operation = {
      ...preview,
      bulk_id: ID,
      action: 'cancel',
      state: 'running',
      succeeded: 0,
      refused: 0,
      failed: 0,
      pace: 100,
      started_at: HOSTILE,
    };
    const gateway = await startFakeGateway(({ body }) =>
      JSON.parse(body).dry_run ? { status: 200, body: preview } : { status: 202, body: { ...operation, by: HOSTILE } },
    );
    const bulk = (...args: string[]): Promise<Ended> =>
      conveyor(['orders', 'bulk', 'cancel', '--symbol', 'ABC', '--tracking-id', 'T', ...args], { CONVEYOR_ENDPOINT: gateway.endpoint });
    try {
      const dry = await bulk('--dry-run');
      expect(dry.stderr).toBe('Did not answer: DN; nothing is done there.\nmore than 10000 orders match.\n');
      expect(dry.stdout).toContain(order.order_id);
      const begun = await bulk('--pace', '100', '--reason', 'because', '--yes');
      expect(begun).toMatchObject({ exitCode: 0, stderr: expect.stringContaining(`conveyor orders bulk get ${ID}`) });
      expect(begun.stdout).not.toMatch(CONTROLS);
      const asked = { action: 'cancel', filter: { tracking_id: 'T', symbol: 'ABC' } };
      expect(gateway.requests.map(({ method, path, body }) => [method, path, JSON.parse(body)])).toEqual([
        ['POST', '/orders/bulk', { ...asked, dry_run: true }],
        ['POST', '/orders/bulk', { ...asked, dry_run: true }],
        ['POST', '/orders/bulk', { ...asked, pace: 100, reason: 'because' }],
      ]);
    } finally {
      await gateway.stop();
    }
  });

  it('print a refusal as title, detail and advice', async () => {
    const { exitCode, stdout, stderr } = await against({ status: 404, body: problem }, ['orders', 'get', ID]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(/^error: No such order: none called \\u001b\[31mred.*\nCheck the id\.\n$/);
  });

  it.each([
    [401, 4],
    [403, 4],
    [409, 1],
    [500, 1],
  ])('end on HTTP %i with %i', async (status, expected) => {
    expect((await against({ status, body: problem }, ['orders', 'cancel', ID])).exitCode).toBe(expected);
  });

  it.each([
    ['completed', 0],
    ['failed', 5],
    ['cancelled', 3],
    ['processing', 3],
  ])('that are waited for and %s end with %i', async (status, expected) => {
    const { exitCode } = await against({ status: 200, body: { ...order, status } }, ['orders', 'get', ID, '--wait', '--timeout', '300ms']);
    expect(exitCode).toBe(expected);
  });

  it('survive an answer that is no JSON, and no answer at all', async () => {
    expect(await against({ status: 502, body: '<html>' }, ['orders', 'list'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('HTTP status 502'),
    });
    expect(await against({ status: 0, body: undefined }, ['orders', 'list'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('does not answer'),
    });
  });
});
