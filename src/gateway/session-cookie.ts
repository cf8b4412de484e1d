import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';

/** The console's sign-in: a cookie that holds the token. No script can read it, and no page of another site makes a browser send it. */

export const SESSION_COOKIE = 'conveyor_session';
const MAX_AGE_S = 30 * 86_400;
const COOKIE = new RegExp(`(?:^|;)\\s*${SESSION_COOKIE}=([^;]*)`);

/** The token that the cookie holds; `undefined` without one, or with one that we did not write. */
export function readSessionCookie({ headers }: Pick<FastifyRequest, 'headers'>): string | undefined {
  const value = COOKIE.exec(headers.cookie ?? '')?.[1]?.trim();
  if (value === undefined || value === '') return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

export function writeSessionCookie(token: string, request: FastifyRequest): string {
  return cookieOf(encodeURIComponent(token), MAX_AGE_S, request);
}

/** Takes it away again. */
export function clearSessionCookie(request: FastifyRequest): string {
  return cookieOf('', 0, request);
}

function cookieOf(value: string, maxAgeS: number, request: FastifyRequest): string {
  return `${SESSION_COOKIE}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${maxAgeS}${isEncrypted(request) ? '; Secure' : ''}`;
}

/** Where a proxy has taken the encryption off it says so. Who claims it falsely only keeps its own cookie from plain HTTP. */
function isEncrypted({ headers, raw }: FastifyRequest): boolean {
  const proto = [headers['x-forwarded-proto']].flat()[0]?.split(',')[0]?.trim().toLowerCase();
  return proto === 'https' || (raw.socket as Partial<TLSSocket>).encrypted === true;
}
