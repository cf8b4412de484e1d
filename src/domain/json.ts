/** Whatever JSON can hold. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Why a value cannot be stored as `jsonb` and read back unchanged. */
export interface JsonFault {
  /** Where, as a JSON Pointer: `/metadata/note`. */
  path: string;
  reason: string;
}

/** Nesting beyond this is refused: nobody needs it, and recursive readers further down would overflow. */
export const MAX_JSON_DEPTH = 32;

/** More values than a body of the greatest size can hold: stops the walk of a structure that repeats itself. */
const MAX_JSON_VALUES = 200_000;

/**
 * The first reason why `value` would not survive a round trip through PostgreSQL's `jsonb`, or `undefined`.
 * Valid JSON may hold what `jsonb` refuses (`\u0000`, lone surrogates) or what JavaScript has already lost
 * (1e400, whole numbers beyond 2^53); both are found here, at the edge, instead of failing a whole batch later.
 */
export function findJsonFault(value: unknown): JsonFault | undefined {
  const open: { value: unknown; path: string; depth: number }[] = [{ value, path: '', depth: 0 }];
  let seen = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    seen += 1;
    if (seen > MAX_JSON_VALUES) return { path: '', reason: `holds more than ${MAX_JSON_VALUES} values` };
    const reason = scalarFault(next.value) ?? (next.depth > MAX_JSON_DEPTH ? `nested deeper than ${MAX_JSON_DEPTH} levels` : undefined);
    if (reason) return { path: next.path, reason };
    if (typeof next.value !== 'object' || next.value === null) continue;
    for (const [key, child] of Object.entries(next.value)) {
      const path = `${next.path}/${key}`;
      const keyFault = key === '__proto__' ? 'is called __proto__' : textFault(key);
      if (keyFault) return { path: next.path, reason: `a key ${keyFault}` };
      open.push({ value: child, path, depth: next.depth + 1 });
    }
  }
  return undefined;
}

function scalarFault(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return textFault(value);
    case 'number':
      if (!Number.isFinite(value)) return 'is a number outside the range of a 64-bit float';
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) return 'is a whole number beyond 2^53; send it as a string';
      return undefined;
    case 'boolean':
      return undefined;
    case 'object':
      return value === null || Array.isArray(value) || isPlainObject(value) ? undefined : 'is an object that JSON cannot hold';
    default:
      return `is a ${typeof value}, which JSON cannot hold`;
  }
}

/** Why a text cannot be stored: PostgreSQL has no NUL and no lone surrogates. */
export function textFault(text: string): string | undefined {
  if (text.includes('\u0000')) return 'contains the character U+0000';
  if (!text.isWellFormed()) return 'contains half of a surrogate pair';
  return undefined;
}

function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** One spelling for equal values: keys sorted at every level. Two bodies are the same when this is. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key] as Json)}`);
  return `{${members.join(',')}}`;
}
