import { createHash } from 'node:crypto';
import { ConveyorError } from '#domain/errors.ts';
import { canonicalJson, type Json } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';
import type { OrderKey } from '#engine/store.ts';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/;

/** Everything that names the order for its customer: the header, the tracking id, the client's own id. */
export function keysOf(header: string | string[] | undefined, content: OrderContent): OrderKey[] {
  const keys: OrderKey[] = [];
  if (header !== undefined) {
    if (typeof header !== 'string' || !VISIBLE_ASCII.test(header)) {
      throw new ConveyorError('invalid-request', 'the Idempotency-Key header is not one key of 1 to 255 visible ASCII characters', {
        faults: [{ field: 'Idempotency-Key', reason: 'must be 1 to 255 visible ASCII characters' }],
      });
    }
    keys.push({ kind: 'header', key: header });
  }
  if (content.order_id !== undefined) keys.push({ kind: 'client', key: content.order_id });
  if (content.tracking_id !== undefined) keys.push({ kind: 'tracking', key: content.tracking_id });
  return keys;
}

/** Equal for bodies that are equal after parsing. */
export function hashBody(content: OrderContent): Buffer {
  return createHash('sha256')
    .update(canonicalJson(content as Json))
    .digest();
}

const KEY_NAMES: Record<OrderKey['kind'], string> = { header: 'Idempotency-Key', tracking: 'tracking_id', client: 'order_id' };

export function refuseKey(outcome: 'other_body' | 'keys_disagree', key: OrderKey): never {
  const name = KEY_NAMES[key.kind];
  throw new ConveyorError(
    'idempotency-mismatch',
    outcome === 'other_body'
      ? `${name} ${JSON.stringify(key.key)} was used for an order with another body`
      : `${name} ${JSON.stringify(key.key)} belongs to another order than the request's other keys`,
  );
}
