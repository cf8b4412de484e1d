import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { NoQuery, responses } from '../api.ts';
import { SessionBody, SessionView } from '../api-session.ts';
import { type Principal, parseToken, refuseForeignSite, refuseJoinToken } from '../auth.ts';
import { type GatewayContext, principalOf } from '../context.ts';
import { clearSessionCookie, writeSessionCookie } from '../session-cookie.ts';

/** `POST`, `GET` and `DELETE /session`: the console signs in with a token, asks who it is, and signs out. */
export function session(app: FastifyInstance, context: GatewayContext): void {
  const viewOf = ({ name, role }: Principal): object => ({ name, role, development: context.developmentTokens });

  const signInSchema = {
    summary: 'Sign in from a browser',
    description: 'The token becomes a cookie (HttpOnly, SameSite=Strict) that authenticates what the pages of this site send.',
    security: [],
    body: SessionBody,
    querystring: NoQuery,
    response: responses({ 200: SessionView }, ['invalid-request', 'unauthorized', 'forbidden']),
  };
  app.post<{ Body: { token: string } }>('/session', { schema: signInSchema, config: { public: true } }, async (request, reply) => {
    refuseForeignSite(request);
    const token = parseToken(request.body.token);
    const principal = await context.authenticator.authenticate(token);
    refuseJoinToken(principal);
    return reply.header('set-cookie', writeSessionCookie(token, request)).send(viewOf(principal));
  });

  const readSchema = {
    summary: 'Who asks',
    querystring: NoQuery,
    response: responses({ 200: SessionView }, ['unauthorized', 'forbidden']),
  };
  app.get('/session', { schema: readSchema }, (request) => viewOf(principalOf(request)));

  const signOutSchema = {
    summary: 'Sign out: the cookie goes, the token stays good',
    security: [],
    querystring: NoQuery,
    response: responses({ 204: Type.Null() }, ['invalid-request', 'forbidden']),
  };
  // It asks for no token: a cookie that is not good any more has to go too.
  app.delete('/session', { schema: signOutSchema, config: { public: true } }, (request, reply) => {
    refuseForeignSite(request);
    return reply.code(204).header('set-cookie', clearSessionCookie(request)).send();
  });
}
