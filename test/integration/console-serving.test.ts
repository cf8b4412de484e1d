import { hash, randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFolder } from '#test/folders.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';

const PAGE = `<!doctype html><meta property="csp-nonce" nonce="__NONCE__"><meta name="session" content="__SESSION__">
<script nonce="__NONCE__">const development = __DEVELOPMENT__;</script><script type="module" src="/assets/main-4f2a.js"></script>`;
const SCRIPT = `console.log(${JSON.stringify('console '.repeat(500))});`;
const STYLE = 'body { color: black }\n'.repeat(200);

async function writeBuild(): Promise<string> {
  const folder = await openFolder('conveyor-console-');
  await mkdir(join(folder, 'assets', 'lazy'), { recursive: true });
  const files: Record<string, string | Buffer> = {
    'index.html': PAGE,
    'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    'secret.txt': 'nobody may read this',
    'assets/main-4f2a.js': SCRIPT,
    'assets/main-4f2a.js.br': brotliCompressSync(`${SCRIPT}// by the build`),
    'assets/main-4f2a.js.gz': gzipSync(`${SCRIPT}// by the build`),
    'assets/main-4f2a.js.map': '{}',
    'assets/main-91bc.css': STYLE,
    'assets/lazy/page-77aa.js': 'export {};',
    'assets/inter-1a2b.woff2': Buffer.from([1, 2, 3]),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}

/** As it comes: nothing decoded, no path made shorter. */
function get(url: string, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const asked = request({ hostname, port, path, method, headers }, async (answer) => {
      const chunks: Buffer[] = [];
      for await (const chunk of answer) chunks.push(chunk as Buffer);
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
    });
    asked.once('error', reject).end();
  });
}

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

describe('the console that was built', () => {
  let gateway: TestGateway;
  let folder: string;
  beforeAll(async () => {
    folder = await writeBuild();
    gateway = await openTestGateway({ consoleFolder: folder });
  });
  afterAll(async () => {
    await gateway.close();
    await rm(folder, { recursive: true });
  });

  it.each(['/', '/?status=failed', '/ui', '/ui/', '/ui/orders/0198', '/ui/orders?x=%00'])('shows its page at %s', async (path) => {
    const { status, headers, body } = await get(gateway.url, path);
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
    const text = body.toString();
    const [nonce = ''] = /(?<=nonce=")[^"]+/.exec(text) ?? [];
    expect(nonce).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    expect(text).toBe(PAGE.replaceAll('__NONCE__', nonce).replace('__DEVELOPMENT__', 'true').replace('__SESSION__', 'null'));
    expect(headers['content-security-policy']).toBe(
      `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'`,
    );
    expect((await get(gateway.url, path)).body.toString()).not.toContain(nonce);
  });

  it('tells its page who is signed in, whatever they are called, and that nobody is with a token that is not known', async () => {
    const name = `"><script>$& __NONCE__ '&amp;`;
    const token = randomUUID();
    await gateway.store.tokens.create({ tokenId: randomUUID(), hash: hash('sha256', token, 'buffer'), name, role: 'customer' });
    const sessionOf = async (cookie: string): Promise<string | undefined> => {
      const text = (await get(gateway.url, '/', { cookie: `conveyor_session=${cookie}` })).body.toString();
      return /name="session" content="([^"]*)"/.exec(text)?.[1];
    };
    const told = (await sessionOf(token))?.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&amp;', '&');
    expect(JSON.parse(told ?? '')).toEqual({ name, role: 'customer', development: true });
    expect(await sessionOf('nonsense')).toBe('null');
  });

  it('tells its page that there are no development tokens', async () => {
    const other = await openTestGateway({ consoleFolder: folder, developmentTokens: false });
    expect((await get(other.url, '/')).body.toString()).toContain('development = false');
    await other.close();
  });

  it('sends files as the build compressed them, by what the browser takes', async () => {
    const ask = (encoding?: string): Promise<Answer> =>
      get(gateway.url, '/assets/main-4f2a.js', encoding === undefined ? {} : { 'accept-encoding': encoding });
    const plain = await ask();
    expect(plain.body.toString()).toBe(SCRIPT);
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-length': String(SCRIPT.length),
      vary: 'accept-encoding',
    });
    const br = await ask('gzip, deflate, br;q=0.9');
    expect(br.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br.body).toString()).toBe(`${SCRIPT}// by the build`);
    const gzip = await ask('gzip, br;q=0');
    expect(gzip.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(gzip.body).toString()).toBe(`${SCRIPT}// by the build`);
    expect((await ask('identity, xbr')).headers['content-encoding']).toBeUndefined();
  });

  it('compresses what the build did not, where that is worth it', async () => {
    const style = await get(gateway.url, '/assets/main-91bc.css', { 'accept-encoding': 'br' });
    expect(style.headers).toMatchObject({ 'content-type': 'text/css; charset=utf-8', 'content-encoding': 'br' });
    expect(brotliDecompressSync(style.body).toString()).toBe(STYLE);
    for (const [path, type] of [
      ['/assets/lazy/page-77aa.js', 'text/javascript; charset=utf-8'],
      ['/assets/inter-1a2b.woff2', 'font/woff2'],
      ['/favicon.svg', 'image/svg+xml'],
    ] as const) {
      const { status, headers } = await get(gateway.url, path, { 'accept-encoding': 'br, gzip' });
      expect({ path, status, type: headers['content-type'], encoding: headers['content-encoding'], vary: headers['vary'] }).toEqual({
        path,
        status: 200,
        type,
      });
    }
  });

  it.each([
    '/assets/',
    '/assets/none.js',
    '/assets/main-4f2a.js.br',
    '/assets/main-4f2a.js.map',
    '/assets/../index.html',
    '/assets/../secret.txt',
    '/assets/..%2fsecret.txt',
    '/assets/%2e%2e/secret.txt',
    '/assets/..\\secret.txt',
    '/assets/lazy/../../secret.txt',
    '/assets//etc/passwd',
    '/assets/__proto__',
    '/secret.txt',
    '/index.html',
    '/uix',
  ])('has nothing at %s', async (path) => {
    const { status, headers, body } = await get(gateway.url, path);
    expect({ status, type: headers['content-type'], cache: headers['cache-control'] }).toEqual({
      status: 404,
      type: 'application/problem+json; charset=utf-8',
      cache: 'no-store',
    });
    expect(body.toString()).not.toContain('nobody may read this');
  });

  it('is read only, and answers to names of this machine alone', async () => {
    const post = await get(gateway.url, '/assets/main-4f2a.js', {}, 'POST');
    expect(post).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await get(gateway.url, '/', {}, 'HEAD')).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    for (const path of ['/', '/ui/orders', '/assets/main-4f2a.js', '/favicon.svg'])
      expect((await get(gateway.url, path, { host: 'evil.example' })).status).toBe(421);
  });

  it('is not in the description of the API', async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as { paths: object };
    expect(Object.keys(document.paths).filter((path) => /^\/($|ui|assets|favicon)/.test(path))).toEqual([]);
  });
});

describe('a console that was not built', () => {
  it('says so, how to build it, and where the documentation is', async () => {
    const gateway = await openTestGateway();
    for (const path of ['/', '/ui/orders']) {
      const { status, headers, body } = await get(gateway.url, path);
      expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: 'text/html; charset=utf-8' });
      expect(body.toString()).toContain('npm run console');
      expect(body.toString()).toContain('href="/docs"');
    }
    expect((await get(gateway.url, '/assets/main-4f2a.js')).status).toBe(404);
    await gateway.close();
  });
});
