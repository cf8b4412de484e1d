import { hash } from 'node:crypto';
import { ConveyorError } from '#domain/errors.ts';
import { isUuid } from '#domain/ids.ts';

/** A place in a list: the last id seen, bound to what the list was asked for. */

const SEPARATOR = '.';

/** `scope` is everything that selects the list's rows; a page of another list cannot go on from here. */
export function encodeCursor(lastId: string, scope: string): string {
  return Buffer.from(`${lastId}${SEPARATOR}${fingerprint(scope)}`).toString('base64url');
}

export function decodeCursor(cursor: string, scope: string): string {
  const [lastId = '', mark] = /^[\w-]+$/.test(cursor) ? Buffer.from(cursor, 'base64url').toString('latin1').split(SEPARATOR) : [];
  if (!isUuid(lastId)) throw new ConveyorError('invalid-cursor', 'the cursor was not made by this list');
  if (mark !== fingerprint(scope)) throw new ConveyorError('invalid-cursor', 'the cursor belongs to a list with other filters');
  return lastId;
}

function fingerprint(scope: string): string {
  return hash('sha256', scope, 'hex').slice(0, 16);
}
