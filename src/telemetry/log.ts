import { pino, stdSerializers } from 'pino';
import pinoPretty from 'pino-pretty';
import type { Log } from '#engine/log.ts';
import { escapeControls, maskSecrets } from './redact.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Where log lines go: `process.stdout`, `process.stderr`, or a collector in a test. */
export interface LogOutput {
  write(text: string): unknown;
  isTTY?: boolean;
}

export interface LogOptions {
  level: LogLevel;
  /** `json`: one object a line, for collectors. `pretty`: for people, with colours on a terminal without `NO_COLOR`. */
  format: 'json' | 'pretty';
  /** Default: standard output. */
  output?: LogOutput;
  env?: Readonly<Record<string, string | undefined>>;
}

/** Fields whose value never leaves the process, at the top and one and two levels down. */
const SECRET_FIELDS = ['authorization', 'Authorization', 'password', 'token', 'secret', 'cookie'];
const SET_COOKIE = ['["set-cookie"]', '*["set-cookie"]', '*.*["set-cookie"]'];
const REDACTED_PATHS = [...SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), ...SET_COOKIE];

/**
 * A logger. Ids are fields (`order`, `step`, `node`, `session`), the message is constant, and one call is one line whatever
 * the values hold: control characters are escaped, passwords in addresses and access tokens masked.
 */
export function createLog(options: LogOptions): Log {
  const output = options.output ?? process.stdout;
  const write = options.format === 'json' ? writeJson(output) : writePretty(output, wantsColour(output, options.env ?? process.env));
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      redact: { paths: REDACTED_PATHS, censor: '***' },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      errorKey: 'error',
    },
    { write },
  );
}

/** In JSON text control characters below U+0020 are escaped already; the others stand only inside strings, where `\u…` means the same. */
function writeJson(output: LogOutput): (line: string) => void {
  return (line) => {
    output.write(`${escapeControls(maskSecrets(line.trimEnd()))}\n`);
  };
}

function writePretty(output: LogOutput, colorize: boolean): (line: string) => void {
  const render = pinoPretty.prettyFactory({
    colorize,
    levelFirst: false,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    errorLikeObjectKeys: ['err', 'error'],
  });
  return (line) => {
    const fields: unknown = JSON.parse(maskSecrets(line));
    output.write(render(neutralise(fields)));
  };
}

/** Escapes control characters in every text, so that no value moves the cursor or begins a line of its own; a stack keeps its lines. */
function neutralise(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'stack' ? value.split('\n').map(escapeControls).join('\n') : escapeControls(value);
  if (Array.isArray(value)) return value.map((element) => neutralise(element));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [escapeControls(name), neutralise(child, name)]));
}

/** https://no-color.org: any value that is not empty switches colours off. */
function wantsColour(output: LogOutput, env: Readonly<Record<string, string | undefined>>): boolean {
  return output.isTTY === true && !env['NO_COLOR'];
}
