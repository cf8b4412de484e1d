import pg from 'pg';
import { ConveyorError, WarehouseAway } from '#domain/errors.ts';

/**
 * Sorts what PostgreSQL and the connection to it can throw. Whatever leaves the outcome open becomes
 * `warehouse-unavailable` (503, try again with the same key). Anything else stays as it is: one bad row of a batch, or a
 * mistake of ours.
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

function reasonOf(error: unknown): string {
  return sqlState(error) ?? (error as NodeJS.ErrnoException | null)?.code ?? (error instanceof Error ? error.message : 'unknown');
}

/** Of what the server itself answered. The system's codes are not told apart by their form: `EPIPE` looks like an SQLSTATE. */
function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The same error in the catalogue's words, or itself where it is a mistake of ours. */
export function toStoreFault(error: unknown, warehouse: string): unknown {
  if (error instanceof ConveyorError) return error;
  const state = sqlState(error);
  if (state !== undefined && !PASSING.some((prefix) => state.startsWith(prefix))) return error;
  return new ConveyorError(
    'warehouse-unavailable',
    `the database of warehouse ${warehouse} does not answer (${reasonOf(error)}); the outcome is open`,
    {
      cause: error,
    },
  );
}

/** The same for a connection that could not be opened: nothing was sent. */
export function toConnectFault(error: unknown, warehouse: string): unknown {
  const fault = toStoreFault(error, warehouse);
  if (!(fault instanceof ConveyorError) || fault instanceof WarehouseAway) return fault;
  return new WarehouseAway(warehouse, `its database cannot be reached: ${reasonOf(error)}`, { cause: error });
}

/** Whether something may have been written. */
export function isOpen(error: unknown): boolean {
  return !(error instanceof WarehouseAway);
}

/** The fault of a statement that was not sent, when one before it was. */
export function toOpenFault(error: unknown): unknown {
  if (isOpen(error)) return error;
  return new ConveyorError('warehouse-unavailable', `${(error as WarehouseAway).message}; the outcome is open`, { cause: error });
}

/** A unique key that exists: someone else wrote it first. */
export function isUniqueViolation(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** Two transactions waited for each other; this one was rolled back and may simply be sent again. */
export function isDeadlock(error: unknown): boolean {
  return sqlState(error instanceof ConveyorError ? error.cause : error) === '40P01';
}
