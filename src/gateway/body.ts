import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ConveyorError, messageOf } from '#domain/errors.ts';

type Done = (error: Error | null, value?: unknown) => void;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Bodies are JSON, whatever the old clients call them: `curl --data` says `application/x-www-form-urlencoded`, others
 * nothing at all. No body at all is `{}`.
 */
export function readJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const options = { parseAs: 'buffer' } as const;
  const readJson = (_request: FastifyRequest, body: Buffer, done: Done): void => answer(done, () => parseBody(body));
  app.addContentTypeParser<Buffer>(['application/json', 'application/x-www-form-urlencoded'], options, readJson);
  app.addContentTypeParser<Buffer>(/^application\/[\w.+-]+\+json\b/, options, readJson);
  app.addContentTypeParser<Buffer>('*', options, (request, body, done) => answer(done, () => parseUnnamed(request, body)));
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.body === undefined) request.body = {};
    done();
  });
}

function answer(done: Done, parse: () => object): void {
  let value: object;
  try {
    value = parse();
  } catch (error) {
    done(error as Error);
    return;
  }
  done(null, value);
}

/** A body of no type is taken for JSON; one that says it is something else is believed. */
function parseUnnamed(request: FastifyRequest, body: Buffer): object {
  const type = request.headers['content-type'];
  if (type === undefined || body.length === 0) return parseBody(body);
  throw new ConveyorError('unsupported-media-type', `the body is ${JSON.stringify(type.slice(0, 100))}; application/json is expected`);
}

function parseBody(body: Buffer): object {
  if (body.length === 0) return {};
  const value = parseJson(decode(body));
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new ConveyorError('malformed-body', `the body is ${describe(value)}; a JSON object is expected`);
}

function decode(body: Buffer): string {
  try {
    return decoder.decode(body);
  } catch {
    throw new ConveyorError('malformed-body', 'the body is not valid UTF-8');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConveyorError('malformed-body', `the body is not JSON: ${messageOf(error).slice(0, 200)}`);
  }
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
