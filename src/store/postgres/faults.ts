import { ConveyorError } from '#domain/errors.ts';

/**
 * Sorts what PostgreSQL and the connection to it can throw. Whatever leaves the outcome open becomes
 * `warehouse-unavailable` (503, try again with the same key); mistakes of ours stay as they are.
 */

/** SQLSTATE classes and codes after which the same statement may succeed later. */
const PASSING = [
  '08', // connection
  '25006', // read only: the server became a replica
  '40', // serialisation, deadlock
  '53', // disk full, out of memory, too many connections
  '55P03', // lock timeout
  '57', // cancelled, shutting down, starting up
  '58', // the server's own input and output
];

/** What one bad row of a batch can cause: then the batch is divided until the row stands alone. */
const ITEM = [
  '21', // cardinality
  '22', // data: invalid text, out of range
  '23', // constraints: a key that another request took meanwhile
  '40P01', // a deadlock between two batches
  '54', // a program limit: too deep, too large
];

interface PostgresFault {
  code?: unknown;
}

function sqlState(error: unknown): string | undefined {
  const code = (error as PostgresFault | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** The same error in the catalogue's words, or itself where it is a mistake of ours. */
export function toStoreFault(error: unknown, warehouse: string): unknown {
  if (error instanceof ConveyorError) return error;
  const state = sqlState(error);
  if (state !== undefined && !PASSING.some((prefix) => state.startsWith(prefix))) return error;
  const reason = state ?? (error instanceof Error ? error.message : 'unknown');
  return new ConveyorError('warehouse-unavailable', `the database of warehouse ${warehouse} does not answer (${reason}); the outcome is open`, {
    cause: error,
  });
}

/** Whether a failed batch may hold one bad item among good ones. */
export function isItemFault(error: unknown): boolean {
  const cause = error instanceof ConveyorError ? error.cause : error;
  const state = sqlState(cause);
  return state !== undefined && ITEM.some((prefix) => state.startsWith(prefix));
}

/** A unique key that exists: someone else wrote it first. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}
