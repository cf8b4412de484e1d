import { formatDuration, parseDuration } from '#domain/time.ts';
import type { SettingRow } from './setting-row.ts';
import { parseWarehouses, WAREHOUSE_NAME, WAREHOUSES_ALLOWED } from './warehouses.ts';

/** A value as it was read, or what is wrong with it in words that may be shown. */
export type Parsed = { value: unknown } | { fault: string };

/** Reads one setting as a flag, a variable or the configuration file gave it. */
export function parseSetting(row: SettingRow, written: unknown): Parsed {
  if (row.kind === 'warehouses') return readWarehouses(written);
  if (row.kind === 'names' || row.kind === 'map') {
    const value = row.kind === 'names' ? readNames(written) : readMap(written);
    return value === undefined ? refuse(row, written) : { value };
  }
  if (typeof written !== 'string' && typeof written !== 'number') return refuse(row, written);
  const value = readValue(row, String(written).trim());
  return value === undefined ? refuse(row, written) : { value };
}

function refuse(row: SettingRow, written: unknown): Parsed {
  const shown = row.secret ? 'something else (not shown)' : showValue(written);
  return { fault: `is ${shown}; allowed is ${describeAllowed(row)}` };
}

function readValue(row: SettingRow, text: string): string | number | undefined {
  switch (row.kind) {
    case 'duration':
      return withinBounds(row, parseDuration(text));
    case 'integer':
      return withinBounds(row, /^\d{1,15}$/.test(text) ? Number(text) : undefined);
    case 'fraction':
      return withinBounds(row, /^(\d+\.?\d*|\.\d+)(e-?\d{1,3})?$/i.test(text) ? Number(text) : undefined);
    case 'choice':
      return row.choices?.includes(text) ? text : undefined;
    case 'address':
      return readAddress(text);
    default:
      return row.pattern?.test(text) ? text : undefined;
  }
}

function withinBounds(row: SettingRow, value: number | undefined): number | undefined {
  if (value === undefined || value < (row.min ?? 0) || value > (row.max ?? Number.MAX_SAFE_INTEGER)) return undefined;
  return value;
}

/** The origin of an HTTP address; a path, a query or a password in it would be a mistake that goes unnoticed. */
function readAddress(text: string): string | undefined {
  // `localhost:8080` alone would read as a scheme.
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  if (url.username || url.password || url.search || url.hash || url.pathname !== '/') return undefined;
  return url.origin;
}

function readWarehouses(written: unknown): Parsed {
  const entries = entriesOf(written);
  if (!entries) return { fault: `cannot be read; ${WAREHOUSES_ALLOWED}` };
  const { addresses, faults } = parseWarehouses(entries);
  return faults.length > 0 ? { fault: `is wrong: ${faults.join(', ')}; ${WAREHOUSES_ALLOWED}` } : { value: addresses };
}

/** A variable has one text, a repeated flag a list, the configuration file an object. */
function entriesOf(written: unknown): string[] | undefined {
  if (typeof written === 'string') return written.split(/\s+/).filter((entry) => entry !== '');
  if (Array.isArray(written)) return written.every((entry) => typeof entry === 'string') ? written : undefined;
  if (typeof written !== 'object' || written === null) return undefined;
  return Object.entries(written).map(([name, url]) => `${name}=${typeof url === 'string' ? url : ''}`);
}

/** `HCM HN`, `HCM,HN`, or a list. */
function readNames(written: unknown): string[] | undefined {
  const names = typeof written === 'string' ? written.split(/[\s,]+/).filter((name) => name !== '') : written;
  if (!Array.isArray(names) || names.length === 0 || new Set(names).size < names.length) return undefined;
  return names.every((name) => typeof name === 'string' && WAREHOUSE_NAME.test(name)) ? names : undefined;
}

const MAP_VALUE = /^[A-Za-z0-9._-]{1,64}$/;

/** `HN=DN,HCM DN=HN`, a list of such, or an object with texts or lists. */
function readMap(written: unknown): ReadonlyMap<string, string[]> | undefined {
  const texts = entriesOfMap(written);
  if (!texts || texts.length === 0) return undefined;
  const map = new Map<string, string[]>();
  for (const [name, values] of texts) {
    if (!WAREHOUSE_NAME.test(name) || map.has(name) || values.length === 0 || !values.every((value) => MAP_VALUE.test(value)))
      return undefined;
    map.set(name, values);
  }
  return map;
}

function entriesOfMap(written: unknown): [name: string, values: string[]][] | undefined {
  if (typeof written === 'string') return entriesOfMap(written === '' ? [] : [written]);
  if (Array.isArray(written)) return written.flatMap((entry) => String(entry).trim().split(/\s+/)).map(splitPair);
  if (typeof written !== 'object' || written === null) return undefined;
  return Object.entries(written).map(([name, values]) => [name, Array.isArray(values) ? values.map(String) : [String(values)]]);
}

function splitPair(text: string): [string, string[]] {
  const [name = '', values = ''] = text.split(/=(.*)/s);
  return [name, values.split(',').filter((value) => value !== '')];
}

/** What a setting may be, as the end of a sentence. */
function describeAllowed(row: SettingRow): string {
  switch (row.kind) {
    case 'duration':
      return `a duration from ${formatDuration(row.min ?? 0)} to ${formatDuration(row.max ?? 0)}, such as 250ms, 5s or 1m`;
    case 'integer':
      return `a whole number from ${row.min} to ${row.max}`;
    case 'fraction':
      return `a number from ${row.min} to ${row.max}`;
    case 'choice':
      return `one of ${row.choices?.join(', ')}`;
    case 'address':
      return 'an address such as http://localhost:8080, without path and password';
    case 'warehouses':
      return WAREHOUSES_ALLOWED;
    case 'names':
      return 'one or more different names of 1 to 32 of A-Z a-z 0-9 _ -, separated by spaces or commas';
    case 'map':
      return 'NAME=VALUE or NAME=VALUE,VALUE, each name once; of A-Z a-z 0-9 . _ -';
    default:
      return row.allowed ?? 'a text';
  }
}

const SHOWN_LENGTH = 80;

/** One line, whatever was written: quoted, control characters escaped, cut. Passwords in addresses are masked. */
function showValue(written: unknown): string {
  const given = Array.isArray(written) && written.every((part) => typeof part === 'string') ? written.join(' ') : written;
  const text = typeof given === 'string' ? given : (JSON.stringify(given) ?? String(given));
  const masked = text.replace(/\/\/.*@/gs, '//***@');
  const cut = masked.length > SHOWN_LENGTH ? `${masked.slice(0, SHOWN_LENGTH)}…` : masked;
  return JSON.stringify(cut).replace(/[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
