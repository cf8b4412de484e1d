import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import { Batcher } from '#engine/batcher.ts';
import type { Clock } from '#engine/clock.ts';
import type { Role, Store, StoredToken } from '#engine/store.ts';
import { readSessionCookie } from './session-cookie.ts';

/** Who asks. */
export interface Principal {
  /** A customer's name is the customer. */
  name: string;
  role: Role;
}

interface Remembered {
  principal: Principal | undefined;
  until: number;
}

/** How long a revoked token may still be good, and an unknown one is not asked about again. */
const KNOWN_FOR_MS = 5_000;
const UNKNOWN_FOR_MS = 1_000;
/** After so long the next warehouse is asked too. */
const PATIENCE_MS = 100;
const MAX_REMEMBERED = 20_000;
const MAX_TOKEN_LENGTH = 512;
const MAX_WAITING_LOOKUPS = 5_000;

/** Whose orders the old clients' routes place and read without a token, on a development start. */
export const DEVELOPMENT_CUSTOMER: Principal = { name: 'user', role: 'customer' };

const DEVELOPMENT: readonly [token: string, principal: Principal][] = [
  ['user', DEVELOPMENT_CUSTOMER],
  ['operator', { name: 'operator', role: 'operator' }],
];

/**
 * Tokens to principals. Only hashes are compared and remembered; look-ups of the moment share one statement, and the first
 * warehouse that knows a token decides: tokens are kept in every one.
 */
export class Authenticator {
  private readonly clock: Clock;
  private readonly stores: readonly Store[];
  private readonly lookUps: Batcher<Buffer, Principal | undefined>;
  private readonly remembered = new Map<string, Remembered>();

  constructor(stores: readonly Store[], clock: Clock, developmentTokens: boolean) {
    this.stores = stores;
    this.clock = clock;
    this.lookUps = new Batcher({
      flush: (hashes) => this.find(hashes),
      maxBatch: 500,
      maxInFlight: 1,
      maxWaiting: MAX_WAITING_LOOKUPS,
    });
    if (!developmentTokens) return;
    for (const [token, principal] of DEVELOPMENT) this.remembered.set(digest(token), { principal, until: Number.POSITIVE_INFINITY });
  }

  /** Whose token it is; a promise where the database has to be asked, because nobody asked about it a moment ago. */
  authenticate(token: string): Principal | Promise<Principal> {
    const key = digest(token);
    const known = this.remembered.get(key);
    if (known && known.until > this.clock.monotonic()) return known.principal ?? refuse();
    return this.lookUp(key);
  }

  private async lookUp(key: string): Promise<Principal> {
    const principal = await this.lookUps.add(Buffer.from(key, 'hex'));
    if (this.remembered.size > MAX_REMEMBERED) this.forget();
    this.remembered.set(key, { principal, until: this.clock.monotonic() + (principal ? KNOWN_FOR_MS : UNKNOWN_FOR_MS) });
    return principal ?? refuse();
  }

  private forget(): void {
    for (const [key, { until }] of this.remembered) if (until !== Number.POSITIVE_INFINITY) this.remembered.delete(key);
  }

  /**
   * The first warehouse that knows a token decides; one that does not answer at once holds nobody up. A token that one does not
   * know may be known elsewhere: it was made while that one was away.
   */
  private async find(hashes: Buffer[]): Promise<(Principal | undefined)[]> {
    const found: (StoredToken | undefined)[] = hashes.map(() => undefined);
    const asked: Promise<void>[] = [];
    for (const store of this.stores) {
      const answer = store.tokens.find(hashes).then((tokens) => {
        for (const [index, token] of tokens.entries()) found[index] ??= token;
      });
      asked.push(answer);
      await settledWithin(answer, PATIENCE_MS, this.clock);
      if (found.every((token) => token !== undefined)) break;
    }
    // Where nobody answered in time, the first answer counts; where nobody answers at all, the reason of one is told.
    if (found.includes(undefined)) await Promise.any(asked).catch((error: AggregateError) => Promise.reject(error.errors[0]));
    return found.map((token) => (token && token.revokedAt === null ? { name: token.name, role: token.role } : undefined));
  }
}

/** Waits for the answer, whatever it is, but not for longer. */
async function settledWithin(answer: Promise<void>, ms: number, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = clock.after(ms, late.resolve);
  await Promise.race([answer.catch(() => undefined), late.promise]);
  timer.cancel();
}

function digest(token: string): string {
  return hash('sha256', token, 'hex');
}

/** Whether the request says who sends it, be it true or not. */
export function namesPrincipal(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined || readSessionCookie(request) !== undefined;
}

/** The token of the header, or else that of the console's cookie: a browser adds that one by itself, so never for another site. */
export function tokenOf(request: FastifyRequest): string {
  const header = request.headers.authorization;
  const token = header === undefined ? readSessionCookie(request) : header.trim();
  if (!token) throw new ConveyorError('unauthorized', 'the request has a token neither in an Authorization header nor in a session cookie');
  if (header === undefined) refuseForeignSite(request);
  return parseToken(token);
}

/** `Bearer TOKEN`, or the bare token as the old clients send it. */
export function parseToken(text: string): string {
  const token = text.trim().replace(/^bearer\s+/i, '');
  if (token === '' || token.length > MAX_TOKEN_LENGTH) return refuse();
  return token;
}

/** A token to join with is good for nothing else; `POST /cluster/join` looks at it by itself. */
export function refuseJoinToken({ role, name }: Principal): void {
  if (role === 'join') throw new ConveyorError('forbidden', `the token ${name} only lets nodes join`);
}

function refuse(): never {
  throw new ConveyorError('unauthorized', 'the token is unknown or was revoked');
}

/** Host names that mean this machine: a page of another site that a DNS answer points here has another. */
const LOOPBACK_HOST = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/** A page of another site must not make a browser send this: browsers say where a request comes from, programs say nothing. */
export function refuseForeignSite(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const isForeign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') || (origin !== undefined && URL.parse(origin)?.host !== host);
  if (isForeign) throw new ConveyorError('cross-site-request', 'the Origin or Sec-Fetch-Site header names another site');
}

export function refuseForeignHost(request: FastifyRequest): void {
  if (LOOPBACK_HOST.test(request.headers.host ?? '')) return;
  throw new ConveyorError(
    'host-not-allowed',
    `the Host header is ${JSON.stringify((request.headers.host ?? '').slice(0, 100))}; localhost is expected`,
  );
}
