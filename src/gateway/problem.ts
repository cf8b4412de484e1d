import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ConveyorError, type ErrorCode, type FieldFault, messageOf } from '#domain/errors.ts';
import { MAX_FAULTS, problemOf } from '#domain/problem.ts';
import type { Log } from '#engine/log.ts';

export function sendProblem(reply: FastifyReply, error: ConveyorError): FastifyReply {
  if (error.retryAfterS !== undefined) reply.header('retry-after', String(error.retryAfterS));
  if (error.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  const problem = problemOf(error, reply.request.id);
  return reply
    .code(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(problem);
}

/** Fastify's own errors by their codes; whatever else has a 4xx status is the request's fault too. */
const CODE_OF_FASTIFY: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed-body',
  FST_ERR_MAX_PARAM_LENGTH: 'uri-too-long',
};

/** The catalogue's error for anything that a route threw. */
export function toConveyorError(thrown: unknown): ConveyorError {
  if (thrown instanceof ConveyorError) return thrown;
  const error = thrown as Partial<FastifyError>;
  if (error.validation) return invalidRequest(error.validation, error.validationContext);
  const code = CODE_OF_FASTIFY[error.code ?? ''];
  if (code) return new ConveyorError(code, messageOf(thrown));
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new ConveyorError('invalid-request', messageOf(thrown));
  return new ConveyorError('internal', 'an unexpected error; its cause is in the log', { cause: thrown });
}

function invalidRequest(validation: NonNullable<FastifyError['validation']>, context: string | undefined): ConveyorError {
  const place = context === 'querystring' ? 'the query' : context === 'params' ? 'the path' : 'the body';
  const faults = validation.slice(0, MAX_FAULTS).map((fault): FieldFault => {
    const named = fault.params['additionalProperty'] ?? fault.params['missingProperty'];
    const field = `${fault.instancePath}${named === undefined ? '' : `/${String(named)}`}`;
    const reason = fault.keyword === 'additionalProperties' ? 'is not a known field' : (fault.message ?? 'is not valid');
    return { field: context === 'querystring' ? field.slice(1) : field || '/', reason };
  });
  const [first] = faults;
  return new ConveyorError('invalid-request', `${place}: ${first?.field} ${first?.reason}`, { faults });
}

export function handleError(log: Log): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (thrown, request, reply) => {
    const error = toConveyorError(thrown);
    if (error.code === 'internal')
      log.error({ request_id: request.id, route: request.routeOptions.url, error: stackOf(error.cause) }, 'a request failed unexpectedly');
    void sendProblem(reply, error);
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}

/** What never became a request: answered on the bare socket, which is then closed. */
export function handleClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem = problemOf(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ConveyorError('header-fields-too-large', 'the header is larger than 16 KiB')
      : new ConveyorError(
          'invalid-request',
          error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'the request was not complete in time' : 'this is no valid HTTP/1.1 request',
        ),
  );
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'x-content-type-options: nosniff',
    'x-frame-options: DENY',
    'referrer-policy: no-referrer',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // One that is not read at the moment would never notice that the other side went.
  socket.destroySoon();
}
