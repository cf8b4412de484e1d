import type { ProblemJson } from '#gateway/api.ts';
import { noteGatewayDate } from './gateway-clock.ts';

/** What a request can fail with: the gateway's own problem, or `code: 'unreachable'` when nothing answered. */
export class ApiFailure extends Error {
  readonly problem: Pick<ProblemJson, 'status' | 'code' | 'title' | 'detail' | 'advice' | 'errors'>;

  constructor(problem: ApiFailure['problem']) {
    super(problem.detail);
    this.name = 'ApiFailure';
    this.problem = problem;
  }

  /** Asking again may help without anyone changing anything. */
  get isPassing(): boolean {
    return this.problem.code === 'unreachable' || this.problem.status >= 500 || this.problem.status === 429;
  }
}

type Query = Readonly<Record<string, string | number | boolean | undefined>>;

interface CallOptions {
  query?: Query | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Gets what the body does not say: the status, headers such as `Retry-After`; also of an answer that is a failure. */
  onResponse?: (response: Response) => void;
}

export function get<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  return call('GET', path, options);
}

/** A body that is absent is sent as `{}`: every route that takes one takes an empty one. */
export function post<Answer>(path: string, options: CallOptions = {}): Promise<Answer> {
  return call('POST', path, { body: {}, ...options });
}

/** One request of the API; rejects with an {@link ApiFailure}. The session's cookie goes along by itself. */
export async function call<Answer>(
  method: string,
  path: string,
  { query, body, headers, signal, onResponse }: CallOptions = {},
): Promise<Answer> {
  const askedAt = Date.now();
  const lost = (error: unknown): never => {
    throw signal?.aborted ? error : unreachable();
  };
  const response = await fetch(pathOf(path, query), {
    method,
    headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  }).catch(lost);
  noteGatewayDate(response.headers.get('date'), askedAt, Date.now());
  onResponse?.(response);
  const text = await response.text().catch(lost);
  if (response.status === 204) return undefined as Answer;
  const answer = parseAnswer(text, response.status);
  if (!response.ok) throw new ApiFailure(answer as ProblemJson);
  return answer as Answer;
}

export function pathOf(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text === '' ? path : `${path}?${text}`;
}

function unreachable(): ApiFailure {
  return new ApiFailure({
    status: 0,
    code: 'unreachable',
    title: 'No answer',
    detail: 'The gateway did not answer.',
    advice: 'It may be starting again, or the network is down. The page goes on by itself as soon as it answers.',
  });
}

function parseAnswer(text: string, status: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiFailure({
      status,
      code: 'unexpected-answer',
      title: `HTTP ${status}`,
      detail: 'The answer did not come from a gateway.',
      advice: 'Something between this page and the gateway answered instead: look at proxies on the way.',
    });
  }
}
