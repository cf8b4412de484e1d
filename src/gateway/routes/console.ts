import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';
import type { SessionJson } from '../api-session.ts';
import { parseToken } from '../auth.ts';
import { readConsole, type StaticFile } from '../console-files.ts';
import type { GatewayContext } from '../context.ts';
import { readSessionCookie } from '../session-cookie.ts';

/** Open to all: what the pages load needs a token. */
const OPEN = { config: { public: true }, schema: { hide: true } } as const;

/** The file names of the build change with their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';

const NOT_BUILT = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Conveyor</title></head>
<body><h1>Conveyor</h1>
<p>The console is not built. Build it with <code>npm run console</code>, then start again.</p>
<p><a href="/docs">The API and its documentation</a> work without it.</p></body></html>
`;

/** The console: one page at `/` and at every path under `/ui/`, which tells them apart itself, and what that page loads. */
export async function consolePages(app: FastifyInstance, context: GatewayContext, folder: string | undefined): Promise<void> {
  const files = folder === undefined ? undefined : await readConsole(folder);
  for (const path of ['/', '/ui', '/ui/*']) app.get(path, OPEN, (request, reply) => sendPage(context, request, reply, files?.page));
  if (!files) return;
  const { assets, icon } = files;
  app.get<{ Params: { '*': string } }>('/assets/*', OPEN, (request, reply) => {
    const file = assets.get(request.params['*']);
    if (!file) throw new ConveyorError('not-found', 'the console has no such file; it may be one of an older build: load the page again');
    return sendFile(request, reply.header('cache-control', FOR_EVER), file);
  });
  if (icon)
    app.get('/favicon.svg', OPEN, (request, reply) => sendFile(request, reply.header('cache-control', 'public, max-age=86400'), icon));
}

/**
 * Its scripts and styles carry a word that only this answer knows: what else gets into the page is not run. It says who is signed in, so
 * that the page need not ask before it asks for anything else.
 */
async function sendPage(context: GatewayContext, request: FastifyRequest, reply: FastifyReply, page = NOT_BUILT): Promise<FastifyReply> {
  const filledIn: Readonly<Record<string, string>> = {
    __NONCE__: randomBytes(16).toString('base64'),
    __DEVELOPMENT__: String(context.developmentTokens),
    __SESSION__: escapeAttribute(JSON.stringify(await readSession(context, request)) ?? ''),
  };
  return reply
    .header('cache-control', 'no-cache')
    .header('content-security-policy', policyOf(filledIn['__NONCE__'] as string))
    .type('text/html; charset=utf-8')
    .send(page.replaceAll(/__[A-Z]+__/g, (name) => filledIn[name] ?? name));
}

/** As `GET /session` tells it; `null`: nobody is signed in; `undefined`: that cannot be said now. */
async function readSession(context: GatewayContext, request: FastifyRequest): Promise<SessionJson | null | undefined> {
  const token = readSessionCookie(request);
  if (token === undefined) return null;
  try {
    const { name, role } = await context.authenticator.authenticate(parseToken(token));
    return role === 'join' ? null : { name, role, development: context.developmentTokens };
  } catch (error) {
    return error instanceof ConveyorError && error.code === 'unauthorized' ? null : undefined;
  }
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}

function policyOf(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile): FastifyReply {
  const encoding = (['br', 'gzip'] as const).find((name) => file[name] && accepts(request.headers['accept-encoding'], name));
  if (file.br ?? file.gzip) reply.header('vary', 'accept-encoding');
  if (encoding) reply.header('content-encoding', encoding);
  return reply.type(file.type).send(encoding ? file[encoding] : file.plain);
}

/** Named, and not with the weight of zero. */
function accepts(header: string | string[] | undefined, encoding: string): boolean {
  return [header]
    .flat()
    .join()
    .split(',')
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/),
    )
    .some(([name, weight = '1']) => name === encoding && Number(weight) > 0);
}
