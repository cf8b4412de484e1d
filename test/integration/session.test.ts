import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '#engine/store.ts';
import { openTestGateway, type TestGateway } from '#test/gateway.ts';
import { waitUntil } from '#test/waiting.ts';

describe('the session', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await openTestGateway();
  });
  afterAll(() => gateway.close());

  const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: object): Promise<Response> =>
    fetch(gateway.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const signIn = (token: string, headers: Record<string, string> = {}): Promise<Response> => ask('POST', '/session', headers, { token });
  const cookieOf = (answer: Response): { cookie: string } => ({ cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' });
  const createToken = async (name: string, role: Role): Promise<{ token: string; tokenId: string }> => {
    const [token, tokenId] = [randomUUID(), randomUUID()];
    await gateway.store.tokens.create({ tokenId, hash: createHash('sha256').update(token).digest(), name, role });
    return { token, tokenId };
  };

  it('begins with a token: the answer says who it is, the cookie is for this site alone', async () => {
    const answer = await signIn('operator');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ name: 'operator', role: 'operator', development: true });
    expect(answer.headers.get('set-cookie')).toBe('conveyor_session=operator; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000');
    const proxied = await signIn('Bearer operator', { 'x-forwarded-proto': 'https' });
    expect(proxied.headers.get('set-cookie')).toMatch(/^conveyor_session=operator; .*; Secure$/);
  });

  it('does not begin with an unknown or a revoked token, nor with one to join with', async () => {
    const [revoked, join] = [await createToken(randomUUID(), 'operator'), await createToken(randomUUID(), 'join')];
    await gateway.store.tokens.revoke(revoked.tokenId);
    for (const [token, status, code] of [
      ['nobody', 401, 'unauthorized'],
      [revoked.token, 401, 'unauthorized'],
      [join.token, 403, 'forbidden'],
      ['', 400, 'invalid-request'],
    ] as const) {
      const answer = await signIn(token);
      expect(answer.status).toBe(status);
      expect(answer.headers.get('set-cookie')).toBeNull();
      const text = await answer.text();
      expect(JSON.parse(text)).toMatchObject({ code });
      if (token !== '') expect(text).not.toContain(token);
    }
  });

  it('authenticates like the token: a customer sees its own orders only', async () => {
    const bob = cookieOf(await signIn((await createToken('bob', 'customer')).token));
    expect(await (await ask('GET', '/session', bob)).json()).toEqual({ name: 'bob', role: 'customer', development: true });
    const own = (await (await ask('POST', '/orders', bob, {})).json()) as { order_id: string };
    const foreign = (await (await ask('POST', '/orders', { authorization: 'user' }, {})).json()) as { order_id: string };
    const { orders } = (await (await ask('GET', '/orders', bob)).json()) as { orders: { order_id: string }[] };
    expect(orders.map(({ order_id }) => order_id)).toEqual([own.order_id]);
    expect((await ask('GET', `/orders/${own.order_id}`, bob)).status).toBe(200);
    expect((await ask('GET', `/orders/${foreign.order_id}`, bob)).status).toBe(404);
    expect((await ask('GET', '/audit', bob)).status).toBe(403);
  });

  it('an Authorization header wins over the cookie', async () => {
    const cookie = cookieOf(await signIn('operator'));
    const who = async (authorization: string): Promise<unknown> => (await ask('GET', '/session', { ...cookie, authorization })).json();
    expect(await who('user')).toMatchObject({ name: 'user', role: 'customer' });
    expect(await who('nobody')).toMatchObject({ code: 'unauthorized' });
    expect(await who('')).toMatchObject({ code: 'unauthorized' });
  });

  it.each([{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }, { origin: 'null' }])(
    'is nothing to a page of another site: %j',
    async (headers: Record<string, string>) => {
      const cookie = cookieOf(await signIn('operator'));
      for (const [method, path] of [
        ['GET', '/orders'],
        ['GET', '/session'],
        ['GET', '/diagnostic/cluster'],
        ['POST', '/orders'],
        ['DELETE', '/session'],
      ] as const) {
        const answer = await ask(method, path, { ...cookie, ...headers });
        expect({ path, status: answer.status, body: await answer.json() }).toMatchObject({
          path,
          status: 403,
          body: { code: 'cross-site-request' },
        });
      }
      expect((await signIn('operator', headers)).status).toBe(403);
      // Its own pages say that they are its own.
      const own = { 'sec-fetch-site': 'same-origin', origin: gateway.url };
      expect((await ask('GET', '/orders', { ...cookie, ...own })).status).toBe(200);
    },
  );

  it('also decides where a development start asks for no token: who signed in as a customer is one', async () => {
    expect((await ask('GET', '/metrics')).status).toBe(200);
    expect((await ask('GET', '/metrics', cookieOf(await signIn('user')))).status).toBe(403);
    expect((await ask('GET', '/metrics', cookieOf(await signIn('operator')))).status).toBe(200);
  });

  it('ends by signing out, also where the token is not good any more', async () => {
    for (const headers of [cookieOf(await signIn('user')), { cookie: 'conveyor_session=nobody' }, {}]) {
      const answer = await ask('DELETE', '/session', headers);
      expect(answer.status).toBe(204);
      expect(answer.headers.get('set-cookie')).toBe('conveyor_session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0');
    }
    const without = await ask('GET', '/session', { cookie: 'conveyor_session=' });
    expect(without.status).toBe(401);
    expect(without.headers.get('www-authenticate')).toBe('Bearer');
  });

  it('ends with its token: revoked, it is refused within seconds', async () => {
    const { token, tokenId } = await createToken(randomUUID(), 'operator');
    const cookie = cookieOf(await signIn(token));
    expect((await ask('GET', '/session', cookie)).status).toBe(200);
    await gateway.store.tokens.revoke(tokenId);
    await waitUntil('the cookie to be refused', async () => (await ask('GET', '/session', cookie)).status === 401, 15_000);
  });
});
