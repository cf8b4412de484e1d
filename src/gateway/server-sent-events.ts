import type { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError } from '#domain/errors.ts';

/** Who is told nothing hears so often that the stream is alive. */
export const COMMENT_EVERY_MS = 15_000;

/** The stream is the answer, until either side ends it. */
export function sendEvents(request: FastifyRequest, reply: FastifyReply, stream: PassThrough): FastifyReply {
  request.raw.once('close', () => stream.destroy());
  return reply.header('content-type', 'text/event-stream; charset=utf-8').header('x-accel-buffering', 'no').send(stream);
}

/**
 * What the client had last; `undefined` where it comes for the first time.
 * @param parse `undefined` for what is no id of the stream's messages
 * @param expected what such an id is, for the error
 */
export function readLastEventId<Id>(request: FastifyRequest, parse: (text: string) => Id | undefined, expected: string): Id | undefined {
  const header = request.headers['last-event-id'];
  if (header === undefined || header === '') return undefined;
  const id = typeof header === 'string' ? parse(header) : undefined;
  if (id !== undefined) return id;
  throw new ConveyorError('invalid-request', 'the Last-Event-ID header is not the id of a message of this stream', {
    faults: [{ field: 'Last-Event-ID', reason: `must be ${expected}` }],
  });
}
