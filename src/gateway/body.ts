import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';

type RequestBodyParser = (request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void) => void;

/**
 * Bodies are JSON, whatever the old clients call them: `curl --data` says `application/x-www-form-urlencoded`, others
 * nothing at all. No body at all is `{}`.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const strict = app.getDefaultJsonParser('error', 'error');
  const decoder = new TextDecoder('utf-8', { fatal: true });

  const parse = (request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void): void => {
    if (body.length === 0) return done(null, {});
    let text: string;
    try {
      text = decoder.decode(body);
    } catch {
      return done(new ConveyorError('malformed-body', 'the body is not valid UTF-8'));
    }
    // The default parser calls back at once.
    void strict(request, text, (error, value) => {
      if (error) return done(new ConveyorError('malformed-body', `the body is not JSON: ${error.message}`));
      if (typeof value !== 'object' || value === null || Array.isArray(value)) {
        return done(new ConveyorError('malformed-body', `the body is ${describe(value)}; a JSON object is expected`));
      }
      return done(null, value);
    });
  };

  app.removeAllContentTypeParsers();
  const readAs: RequestBodyParser = (request, body, done) => parse(request, body, done);
  app.addContentTypeParser<Buffer>(['application/json', 'application/x-www-form-urlencoded'], { parseAs: 'buffer' }, readAs);
  app.addContentTypeParser<Buffer>(/^application\/[\w.+-]+\+json\b/, { parseAs: 'buffer' }, readAs);
  app.addContentTypeParser<Buffer>('*', { parseAs: 'buffer' }, (request, body, done) => {
    const type = request.headers['content-type'];
    if (type === undefined || body.length === 0) return parse(request, body, done);
    return done(
      new ConveyorError('unsupported-media-type', `the body is ${JSON.stringify(type.slice(0, 100))}; application/json is expected`),
    );
  });
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined) request.body = {};
    done();
  });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}

/** A compressed body could unpack to anything; none is accepted. */
export function refuseEncodedBody(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return;
  throw new ConveyorError('unsupported-media-type', `the body is encoded as ${JSON.stringify(encoding.slice(0, 100))}; send it as it is`);
}
