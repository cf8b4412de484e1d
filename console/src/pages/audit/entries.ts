import { isUuid } from '#domain/ids.ts';
import type { AuditPageJson } from '#gateway/api-cluster.ts';

/** What was done by hand, in words. Pure. */

export type AuditEntry = AuditPageJson['entries'][number];

const DEEDS: Readonly<Record<string, string>> = {
  'order.cancel': 'cancelled the order',
  'order.retry': 'placed the order again',
  'order.release': 'let the stopped order go on',
  'bulk.cancel': 'cancelled many orders',
  'bulk.retry': 'placed many orders again',
  'bulk.stop': 'stopped an operation on many orders',
  'bulk.done': 'was done with an operation on many orders',
  'node.drain': 'let the node take nothing new',
  'node.resume': 'let the node take orders again',
  'node.stop': 'stopped the node',
  'node.transfer': 'handed the node’s orders to others',
  'warehouse.disable': 'took the warehouse out of routing',
  'warehouse.enable': 'put the warehouse back into routing',
  'warehouse.forget': 'had the warehouse forgotten',
  'conflict.resolve': 'resolved the conflict of keys',
  'generator.start': 'started the generator',
  'generator.stop': 'stopped the generator',
  'token.create': 'made a token for',
  'token.revoke': 'revoked the token of',
};

export function tellDeed(action: string): string {
  return DEEDS[action] ?? action;
}

/** What an entry is about, and where that is shown. */
export type Target =
  | { kind: 'order' | 'node'; id: string }
  | { kind: 'cluster' | 'generator'; text: string }
  | { kind: 'text'; text: string };

export function targetOf({ action, target }: Pick<AuditEntry, 'action' | 'target'>): Target {
  const [subject] = action.split('.');
  if (isUuid(target) && (subject === 'order' || subject === 'node')) return { kind: subject, id: target };
  if (subject === 'warehouse' || subject === 'conflict') return { kind: 'cluster', text: target };
  if (subject === 'generator') return { kind: 'generator', text: action === 'generator.start' ? `every ${target}` : '' };
  return { kind: 'text', text: target };
}

/** The order that a retry made. */
export function madeOrder({ action, detail }: Pick<AuditEntry, 'action' | 'detail'>): string | undefined {
  const { order_id: id } = (detail ?? {}) as { order_id?: unknown };
  return action === 'order.retry' && typeof id === 'string' && isUuid(id) ? id : undefined;
}

/** Whether the entry has every word somewhere. */
export function hasWords(entry: AuditEntry, words: string): boolean {
  const { actor, action, target, reason = '', warehouse, detail } = entry;
  const text = [actor, action, tellDeed(action), target, reason, warehouse, JSON.stringify(detail ?? '')].join(' ').toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
