/** The part of autocannon that the benchmark uses; the package brings no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  export interface Options {
    url: string;
    method: 'POST' | 'GET';
    headers: Record<string, string>;
    body?: string;
    /** Instead of one path: taken in turn by each connection. */
    requests?: { path: string }[];
    connections: number;
    /** Seconds. */
    duration: number;
  }
  export interface Result {
    duration: number;
    errors: number;
    non2xx: number;
    '2xx': number;
  }
  /** Emits `response` with client, status, bytes and milliseconds; the histogram of a result knows whole milliseconds only. */
  export interface Run extends EventEmitter {
    on(event: 'response', listener: (client: unknown, status: number, bytes: number, latencyMs: number) => void): this;
  }
  export default function autocannon(options: Options, done: (error: Error | null, result: Result) => void): Run;
}
