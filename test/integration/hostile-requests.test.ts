import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';

const COUNT = 2_000;
const SEED = Number(process.env['CONVEYOR_SEED'] ?? 20_261_121);

interface BadRequest {
  what: string;
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string | Uint8Array;
}

/** A small generator of repeatable chance (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const json = { authorization: 'user', 'content-type': 'application/json' };
const UUID = '01a1fc2c-96ee-776a-958b-4d3ce2a4f4b4';
const NESTED = `{"metadata":{"a":${'['.repeat(40)}${']'.repeat(40)}}}`;
const VERY_NESTED = `{"metadata":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`;
const BAD_VALUES: Record<string, string[]> = {
  customer_name: ['1', 'null', '[]', '{}', 'true', JSON.stringify('x'.repeat(201)), '"\\u0000"', '"\\ud800"'],
  region: ['1', 'null', '""', JSON.stringify('x'.repeat(65)), '["HCM"]', '"\\udc00x"'],
  symbol: ['1', 'null', JSON.stringify('x'.repeat(33)), '{"a":1}'],
  quantity: ['0', '-1', '1.5', '1000001', '"3"', 'null', '1e400', '9007199254740993', '[]', 'true'],
  detail: ['1', 'null', '[]', JSON.stringify('ü'.repeat(40_000)), '"a\\u0000b"'],
  items: [
    '1',
    'null',
    '{}',
    '[1]',
    '[{}]',
    '[{"sku":"a"}]',
    '[{"sku":"","quantity":1}]',
    '[{"sku":"a","quantity":0}]',
    '[{"sku":"a","quantity":1,"unit_price":1.5}]',
    '[{"sku":"a","quantity":1,"unit_price":"1,5"}]',
    '[{"sku":"a","quantity":1,"x":1}]',
    `[${Array.from({ length: 1_001 }, () => '{"sku":"a","quantity":1}').join(',')}]`,
  ],
  tracking_id: ['1', 'null', '""', JSON.stringify('x'.repeat(256)), '"\\u0000"'],
  order_id: ['1', 'null', '""', '"a b"', '"../x"', JSON.stringify('x'.repeat(65)), '"ü"'],
  timestamp: [
    '1',
    'null',
    '""',
    '"yesterday"',
    '"2026-02-30T10:00:00Z"',
    '"2026-13-01T10:00:00Z"',
    '"2026-01-01T25:00:00Z"',
    '"2026-01-01"',
    '"2026-01-01T00:00:00+99:99"',
  ],
  metadata: [
    '1',
    'null',
    '[]',
    '"x"',
    '{"a":"\\u0000"}',
    '{"a\\u0000":1}',
    '{"a":1e999}',
    '{"a":9007199254740993}',
    '{"__proto__":{"a":1}}',
    `{"a":${JSON.stringify('x'.repeat(17_000))}}`,
  ],
};
const UNKNOWN_FIELDS = [
  'status',
  'owner_session',
  'fence',
  'customer_id',
  'role',
  'price',
  'crash_count',
  'version',
  'constructor',
  '__proto__',
  'Quantity',
  '',
];
const BROKEN_BODIES: (string | Uint8Array)[] = [
  '{',
  '[]',
  'null',
  '1',
  '"x"',
  'true',
  '{}{}',
  "{'a':1}",
  '{"a":}',
  'a=b&c=d',
  '<xml/>',
  '\u0000',
  NESTED,
  VERY_NESTED,
  Uint8Array.of(0xff, 0xfe, 0x7b),
  Uint8Array.of(0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d),
  new Uint8Array(300 * 1024).fill(0x20),
  `{"detail":"${'x'.repeat(270_000)}"}`,
];
const BAD_IDS = [
  'abc',
  '1',
  '..%2f..',
  '%00',
  `${UUID}x`,
  UUID.replace('7', 'g'),
  "'%20or%201=1--",
  'x'.repeat(3_000),
  '{}',
  '%F0%9F%9A%9A',
  'null',
  `${UUID}%00`,
];
const UNKNOWN_IDS = [UUID, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', UUID.toUpperCase()];
const BAD_QUERIES = [
  'limit=0',
  'limit=201',
  'limit=-1',
  'limit=1.5',
  'limit=x',
  'limit=',
  'limit=1&limit=2',
  'status=done',
  'status=',
  'status[]=queued',
  'since=yesterday',
  'since=2026-02-30T00:00:00Z',
  'until=1',
  'cursor=abc',
  'cursor=%00',
  `cursor=${'x'.repeat(201)}`,
  `cursor=${Buffer.from(`${UUID}.0000`).toString('base64url')}`,
  'warehouse=NOWHERE',
  'node=abc',
  `node=${'-'.repeat(36)}`,
  'foo=1',
  '__proto__=1',
  'region=',
  'region=%00',
  'step=a%00b',
  'customer_name=%00',
  `region=${'x'.repeat(65)}`,
  'sort=order_id;drop',
  'step=',
];
const BAD_TOKENS = [
  '',
  ' ',
  'Bearer',
  'Bearer ',
  'nobody',
  'Basic dXNlcjp1c2Vy',
  'Bearer user operator',
  'x'.repeat(600),
  "' or '1'='1",
  'USER',
];
const BAD_COOKIES = [
  'conveyor_session=',
  'conveyor_session=%',
  'conveyor_session=nobody',
  'conveyor_session=user x',
  'conveyor_session="user"',
  'xconveyor_session=user',
  'conveyor_session =user',
  'CONVEYOR_SESSION=user',
  `conveyor_session=${'x'.repeat(600)}`,
];
const OTHER_SITES: Record<string, string>[] = [
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
  { origin: 'https://evil.example' },
  { origin: 'null' },
];
const BAD_SIGN_INS = [
  '{}',
  '{"token":1}',
  '{"token":""}',
  '{"token":" "}',
  '{"token":"Bearer "}',
  '{"token":"nobody"}',
  '{"token":"user","role":"operator"}',
  `{"token":"${'x'.repeat(513)}"}`,
  '[]',
];
const BAD_KEYS = ['', ' ', 'a b', 'x'.repeat(256), 'ü'];
const BAD_TYPES = [
  'text/plain',
  'text/xml',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'image/png',
  'application/jsonx',
  'x',
];
const BAD_METHODS = ['PUT', 'DELETE', 'PATCH', 'OPTIONS'];
const NOWHERE = [
  '/order',
  '/orders/',
  `/orders/${UUID}/retry/x`,
  '/admin',
  '/.env',
  '/orders/%2e%2e/x',
  '//',
  '/docs/../../etc/passwd',
  `/${'x'.repeat(2_000)}`,
];

function makeGenerators(pick: <Item>(items: readonly Item[]) => Item): (() => BadRequest)[] {
  const post = (what: string, body: string | Uint8Array, headers: Record<string, string> = json): BadRequest => ({
    what,
    method: 'POST',
    path: '/orders',
    headers,
    body,
  });
  const get = (what: string, path: string, headers: Record<string, string> = { authorization: 'user' }): BadRequest => ({
    what,
    method: 'GET',
    path,
    headers,
  });
  const suffix = (): string => pick(['', '/events']);
  return [
    () => {
      const field = pick(Object.keys(BAD_VALUES));
      const value = pick(BAD_VALUES[field] ?? []);
      return post(`${field} = ${value.slice(0, 60)}`, `{${JSON.stringify(field)}:${value}}`);
    },
    () => {
      const field = pick(UNKNOWN_FIELDS);
      return post(`unknown field ${field}`, `{"quantity":1,${JSON.stringify(field)}:${pick(['1', '"x"', 'null', '{}'])}}`);
    },
    () => {
      const body = pick(BROKEN_BODIES);
      return post(`body ${String(body).slice(0, 40)}`, body, {
        ...json,
        'content-type': pick(['application/json', 'application/x-www-form-urlencoded', 'application/vnd.x+json']),
      });
    },
    () => post('content type', '{"a":1}', { ...json, 'content-type': pick(BAD_TYPES) }),
    () => post('content encoding', '{}', { ...json, 'content-encoding': pick(['gzip', 'br', 'deflate', 'zstd', 'x']) }),
    () => post('token', '{}', { ...json, authorization: pick(BAD_TOKENS) }),
    () => get('cookie', '/orders', { cookie: pick(BAD_COOKIES) }),
    () => get('cookie of another site', '/orders', { cookie: 'conveyor_session=user', ...pick(OTHER_SITES) }),
    () => ({ ...post('sign-in', pick(BAD_SIGN_INS)), path: '/session', headers: { 'content-type': 'application/json' } }),
    () => post('key', '{}', { ...json, 'idempotency-key': Buffer.from(pick(BAD_KEYS)).toString('latin1') }),
    () => ({ ...post('query on submit', '{}'), path: `/orders?${pick(['a=1', 'dry_run=true', '__proto__=x'])}` }),
    () => get('id', `/orders/${pick(BAD_IDS)}${suffix()}`),
    () => get('unknown id', `/orders/${pick(UNKNOWN_IDS)}${suffix()}`),
    () =>
      get('last event id', `/orders/${pick(UNKNOWN_IDS)}/events`, {
        authorization: 'user',
        accept: 'text/event-stream',
        'last-event-id': pick(['x', '-1', '1e9']),
      }),
    () => ({
      ...post('cancel', pick(['{}', '{"reason":1}', '{"x":1}', '[]'])),
      path: `/orders/${pick([...BAD_IDS, ...UNKNOWN_IDS])}/cancel`,
    }),
    () => get('query', `/orders?${pick(BAD_QUERIES)}`),
    () => ({ ...get('method', pick(['/orders', '/health', `/orders/${UUID}`])), method: pick(BAD_METHODS) }),
    () => get('nowhere', pick(NOWHERE)),
    () =>
      get('host', '/orders', {
        authorization: 'user',
        host: pick(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '10.0.0.1:8080', 'x y']),
      }),
  ];
}

const RAW = [
  'POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: user\r\nConnection: close\r\nExpect: a-miracle\r\nContent-Length: 1\r\n\r\n[',
  'GET / HTTP/1.1\r\n\r\n',
  'GET /orders HTTP/9.9\r\nHost: localhost\r\n\r\n',
  'BLAH\r\n\r\n',
  '\u0000\u0001\u0002\r\n\r\n',
  'POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: user\r\nContent-Length: +5\r\n\r\n{}',
  'POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: user\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
  'POST /orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: user\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n',
  `GET /orders HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
  'GET /orders HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n',
];

describe('hostile requests', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openTestGateway();
  });
  afterAll(() => gateway.close());

  it(`${COUNT} of them get 4xx problems, never 5xx, and store nothing (seed ${SEED})`, async () => {
    const chance = chanceOf(SEED);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item;
    const generators = makeGenerators(pick);
    const wrong: string[] = [];
    for (let index = 0; index < COUNT; index += 1) {
      const request = (generators[index % generators.length] as () => BadRequest)();
      const answer = await gateway.app.inject({
        method: request.method as 'GET',
        url: request.path,
        headers: { host: 'localhost', ...request.headers },
        ...(request.body === undefined ? {} : { payload: Buffer.from(request.body as string) }),
      });
      if (answer.statusCode < 400 || answer.statusCode > 499 || !isProblem(answer.headers['content-type'], answer.body)) {
        wrong.push(`${request.method} ${request.path.slice(0, 80)} (${request.what}): ${answer.statusCode} ${answer.body.slice(0, 200)}`);
      }
    }
    expect(wrong).toEqual([]);
    await expectNothingStored();
  });

  it('a sample over real connections gets the same', async () => {
    const chance = chanceOf(SEED + 1);
    const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(chance() * items.length)] as Item;
    const generators = makeGenerators(pick);
    for (let index = 0; index < 200; index += 1) {
      const { method, path, headers, body, what } = (generators[index % generators.length] as () => BadRequest)();
      if (headers['host'] !== undefined) continue;
      const sent = await fetch(gateway.url + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: Buffer.from(body as string) }),
      });
      const text = await sent.text();
      expect({ what, status: Math.floor(sent.status / 100), problem: isProblem(sent.headers.get('content-type') ?? '', text) }).toEqual({
        what,
        status: 4,
        problem: true,
      });
    }
    await expectNothingStored();
  });

  it.each(RAW.map((raw) => [raw.slice(0, 60), raw]))('malformed HTTP is answered 4xx and closed: %j', async (_shown, raw) => {
    const answer = await sendRaw(gateway.url, raw);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain('application/problem+json');
    await expectNothingStored();
  });

  it('and a good order is still accepted afterwards', async () => {
    const answer = await fetch(`${gateway.url}/orders`, { method: 'POST', headers: json, body: '{"quantity":2}' });
    expect(answer.status).toBe(202);
  });

  async function expectNothingStored(): Promise<void> {
    const { rows } = await gateway.client.query(
      'select (select count(*) from orders)::int as orders, (select count(*) from order_keys)::int as keys',
    );
    expect(rows).toEqual([{ orders: 0, keys: 0 }]);
  }
});

function isProblem(contentType: unknown, body: string): boolean {
  if (!String(contentType).startsWith('application/problem+json')) return false;
  const problem = JSON.parse(body || '{}') as Record<string, unknown>;
  return ['type', 'title', 'status', 'code', 'detail'].every((name) => problem[name] !== undefined);
}

function sendRaw(url: string, raw: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname, () => socket.end(raw, 'latin1'));
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk.toString();
    });
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}
