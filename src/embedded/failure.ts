/** The embedded server cannot do what was asked. The message says what was found, what was expected and what to do. */
export class EmbeddedError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EmbeddedError';
  }
}

/** The way out that every dead end names. */
export const USE_EXISTING =
  'Set CONVEYOR_WAREHOUSES="NAME=postgres://user:password@host:5432/database" to use a PostgreSQL server that exists already.';

/** The error code (`ENOENT`, `28P01`, …) of anything thrown. */
export function codeOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}
