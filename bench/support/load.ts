import autocannon from 'autocannon';
import { quantile } from './figures.ts';

/** What requests that follow one another on many connections get. */
export interface Load {
  requests: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export interface LoadOptions {
  connections: number;
  seconds: number;
  /** Paths to read, in turn, instead of orders to submit. */
  paths?: readonly string[];
}

export const ORDER_BODY = '{"customer_name":"Ada Lovelace","region":"HCM","symbol":"abc","quantity":3}';

/** Submits orders to what listens there, or reads; each connection sends when it was answered. Rejects if any answer was not 2xx. */
export function loadOnce(url: string, { connections, seconds, paths }: LoadOptions): Promise<Load> {
  const options = {
    url: paths ? url : `${url}/orders`,
    method: paths ? ('GET' as const) : ('POST' as const),
    headers: { authorization: paths ? 'operator' : 'user', ...(paths ? {} : { 'content-type': 'application/json' }) },
    ...(paths ? { requests: paths.map((path) => ({ path })) } : { body: ORDER_BODY }),
    connections,
    duration: seconds,
  };
  const latencies: number[] = [];
  return new Promise((resolve, reject) => {
    const run = autocannon(options, (error, result) => {
      if (error) reject(error);
      else if (result.non2xx > 0 || result.errors > 0)
        reject(new Error(`${options.url}: ${result.non2xx} answers were not 2xx, ${result.errors} requests failed`));
      else
        resolve({
          requests: result['2xx'],
          perSecond: result['2xx'] / result.duration,
          p50Ms: quantile(latencies, 0.5),
          p99Ms: quantile(latencies, 0.99),
        });
    });
    run.on('response', (_client, _status, _bytes, latencyMs) => latencies.push(latencyMs));
  });
}
