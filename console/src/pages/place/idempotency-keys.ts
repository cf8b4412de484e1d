import { canonicalJson, type Json } from '#domain/json.ts';
import type { OrderContent } from '#domain/order.ts';

/**
 * One key for one content until its order is known to be accepted: pressing twice, or again after an answer that was lost, finds the
 * same order. Another content is another order, and a key that was sent with one stays with it when one comes back to it.
 */
export interface IdempotencyKeys {
  keyOf: (content: OrderContent) => string;
  /** Its order is accepted: the same content is another order now. */
  settle: (content: OrderContent) => void;
}

/** So many contents are remembered; a person does not go back further. */
const MAX_REMEMBERED = 5;

/** @param storage keeps them over a reload of the page, as the form is kept */
export function openIdempotencyKeys(storage: Pick<Storage, 'getItem' | 'setItem'>, name: string): IdempotencyKeys {
  const known = new Map<string, string>(readPairs(storage.getItem(name)));
  const save = (): void => {
    try {
      storage.setItem(name, JSON.stringify([...known]));
    } catch {
      // The storage is full: the keys hold until the page is loaded again.
    }
  };
  return {
    keyOf(content) {
      const text = canonicalJson(content as Json);
      const key = known.get(text) ?? newKey();
      known.delete(text);
      known.set(text, key);
      const [oldest] = known.keys();
      if (known.size > MAX_REMEMBERED && oldest !== undefined) known.delete(oldest);
      save();
      return key;
    },
    settle(content) {
      known.delete(canonicalJson(content as Json));
      save();
    },
  };
}

function readPairs(text: string | null): [string, string][] {
  try {
    const pairs: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(pairs) ? (pairs as [string, string][]) : [];
  } catch {
    return [];
  }
}

/** `crypto.randomUUID` exists only where the page came over HTTPS or from this machine. */
export function newKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
