import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify';
import { ConveyorError, type ErrorCode, type FieldFault, messageOf } from '#domain/errors.ts';
import { MAX_FAULTS, problemOf } from '#domain/problem.ts';
import type { Log } from '#engine/log.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

export function sendProblem(reply: FastifyReply, error: ConveyorError): FastifyReply {
  const problem = problemOf(error, reply.request.id);
  return reply.code(problem.status).headers(headersOf(error)).serializer(JSON.stringify).send(problem);
}

/** Those that its being a problem asks for. */
function headersOf({ retryAfterS, code }: ConveyorError): Record<string, string> {
  return {
    'content-type': 'application/problem+json; charset=utf-8',
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    ...(code === 'unauthorized' ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/** A whole answer, for where no route and no hook runs. */
export interface WrittenProblem {
  status: number;
  title: string;
  headers: Record<string, string | number>;
  body: string;
}

export function writeProblem(error: ConveyorError): WrittenProblem {
  const problem = problemOf(error);
  const body = JSON.stringify(problem);
  return {
    status: problem.status,
    title: problem.title,
    headers: { ...SECURITY_HEADERS, ...headersOf(error), 'content-length': Buffer.byteLength(body) },
    body,
  };
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
    return { field: context === 'querystring' ? field.slice(1) : field || '/', reason: reasonOf(fault) };
  });
  const [first] = faults;
  return new ConveyorError('invalid-request', `${place}: ${first?.field} ${first?.reason}`, { faults });
}

function reasonOf({ keyword, params, message }: FastifySchemaValidationError): string {
  if (keyword === 'additionalProperties') return 'is not a known field';
  if (keyword === 'enum') return `must be one of ${(params['allowedValues'] as unknown as unknown[]).join(', ')}`;
  return message ?? 'is not valid';
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
  const { status, title, headers, body } = writeProblem(
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ConveyorError('header-fields-too-large', 'the header is larger than 16 KiB')
      : new ConveyorError(
          'invalid-request',
          error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'the request was not complete in time' : 'this is no valid HTTP/1.1 request',
        ),
  );
  const fields = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  socket.end(`HTTP/1.1 ${status} ${title}\r\n${fields.join('\r\n')}\r\n\r\n${body}`);
  // One that is not read at the moment would never notice that the other side went.
  socket.destroySoon();
}
