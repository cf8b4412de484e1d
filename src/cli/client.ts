import { type Dispatcher, Pool } from 'undici';
import type { Settings } from '#config/settings.ts';
import { messageOf } from '#domain/errors.ts';
import { CommandFault, EXIT, type ExitCode } from './faults.ts';
import { isLoopback } from './port.ts';
import { neutralise } from './print.ts';

/** How to reach a gateway. */
export interface Access {
  endpoint: string;
  /** `undefined`: the call needs none. */
  token: string | undefined;
}

export interface Answer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  /** The parsed body; `undefined` where it is no JSON. */
  body: unknown;
}

export interface Call {
  method: 'GET' | 'POST';
  path: string;
  query?: Record<string, string | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
}

/** What the gateway says when it refuses (RFC 9457). */
interface Problem {
  title?: unknown;
  detail?: unknown;
  advice?: unknown;
  errors?: unknown;
}

const HEADERS_TIMEOUT_MS = 30_000;

/** The token to use: the one that was given, or the development token where the gateway is on this machine. */
export function resolveAccess(settings: Pick<Settings, 'endpoint' | 'token'>, developmentToken: 'user' | 'operator'): Access {
  if (settings.token !== undefined) return { endpoint: settings.endpoint, token: settings.token };
  if (isLoopback(new URL(settings.endpoint).hostname)) return { endpoint: settings.endpoint, token: developmentToken };
  throw new CommandFault(
    EXIT.usage,
    `no token for ${settings.endpoint}: development tokens exist on the gateway's own machine only`,
    'Set CONVEYOR_TOKEN to a token that conveyor token create made.',
  );
}

/** HTTP to one gateway over kept connections. */
export class ApiClient {
  private readonly access: Access;
  private readonly pool: Pool;

  constructor(access: Access, connections = 4) {
    this.access = access;
    this.pool = new Pool(access.endpoint, { connections, headersTimeout: HEADERS_TIMEOUT_MS, bodyTimeout: HEADERS_TIMEOUT_MS });
  }

  /** The answer, whatever its status. Rejects only where there is none. */
  async send(call: Call): Promise<Answer> {
    const response = await this.pool.request(this.toOptions(call));
    const text = await response.body.text();
    return { status: response.statusCode, headers: response.headers, body: parseJson(text) };
  }

  /** The body of a successful answer; a refusal becomes a `CommandFault` with the gateway's own words. */
  async call(call: Call): Promise<unknown> {
    const answer = await this.send(call).catch((error: unknown) => {
      throw this.explainUnreachable(error);
    });
    if (answer.status >= 200 && answer.status < 300 && answer.body !== undefined) return answer.body;
    throw explainRefusal(answer);
  }

  /** The body as it comes, for streams that stay open. */
  async open(call: Call): Promise<AsyncIterable<Uint8Array>> {
    const response = await this.pool.request({ ...this.toOptions(call), bodyTimeout: 0 }).catch((error: unknown) => {
      throw this.explainUnreachable(error);
    });
    if (response.statusCode === 200) return response.body;
    throw explainRefusal({ status: response.statusCode, headers: response.headers, body: parseJson(await response.body.text()) });
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }

  private toOptions({ method, path, query, body, headers, signal }: Call): Dispatcher.RequestOptions {
    const given = Object.entries(query ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return {
      method,
      path,
      query: Object.fromEntries(given),
      headers: {
        ...(this.access.token === undefined ? {} : { authorization: `Bearer ${this.access.token}` }),
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    };
  }

  private explainUnreachable(error: unknown): Error {
    if ((error as Error).name === 'AbortError') return error as Error;
    const reason = (error as NodeJS.ErrnoException).code ?? messageOf(error);
    return new CommandFault(
      EXIT.failed,
      `the gateway at ${this.access.endpoint} does not answer (${reason})`,
      'Start one with conveyor start, or name another with --endpoint or CONVEYOR_ENDPOINT.',
    );
  }
}

/** Title, detail and advice as the gateway gave them, and the exit code a script can act on. */
export function explainRefusal({ status, body }: Answer): CommandFault {
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  const faults = Array.isArray(problem.errors) ? problem.errors.map((fault) => `  ${describeFieldFault(fault)}`) : [];
  const words = [
    textOf(problem.title) ?? `the answer has HTTP status ${status} and no explanation: whatever listens there is no gateway of Conveyor`,
    textOf(problem.detail),
  ];
  const head = words.filter((word) => word !== undefined).join(': ');
  return new CommandFault(exitCodeOf(status), [head, ...faults].join('\n'), textOf(problem.advice));
}

function describeFieldFault(fault: unknown): string {
  const { field, reason } = (fault ?? {}) as { field?: unknown; reason?: unknown };
  return `${textOf(field) ?? '?'}: ${textOf(reason) ?? '?'}`;
}

function exitCodeOf(status: number): ExitCode {
  return status === 401 || status === 403 ? EXIT.notAllowed : EXIT.failed;
}

/** A text of the answer on one line: it is the gateway's word, or that of whatever answers in its place. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? neutralise(value) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
