import { readFileSync } from 'node:fs';
import { type Clock, systemClock } from '#engine/clock.ts';
import type { Log } from '#engine/log.ts';
import { createLog, type LogLevel } from '#telemetry/log.ts';

/** What every part of a command is given: where to log, what time it is, which version this is. */
export interface Surroundings {
  log: Log;
  clock: Clock;
  version: string;
}

/** The version in package.json. */
export function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** For the long-running commands: the log is their output. */
export function openSurroundings(settings: { logLevel: LogLevel; logFormat: 'json' | 'pretty' }): Surroundings {
  return { log: createLog({ level: settings.logLevel, format: settings.logFormat }), clock: systemClock, version: readVersion() };
}

/** For commands that print data: only what went wrong is logged, on standard error. */
export function openQuietSurroundings(): Surroundings {
  return { log: createLog({ level: 'warn', format: 'pretty', output: process.stderr }), clock: systemClock, version: readVersion() };
}
