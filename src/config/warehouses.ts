/** The database of one warehouse. */
export interface WarehouseAddress {
  name: string;
  /** A `postgres://` URL; may hold a password, so it is shown through `maskUrl` only. */
  url: string;
}

export const WAREHOUSE_NAME = /^[A-Za-z0-9_-]{1,32}$/;
const POSTGRES_URL = /^postgres(ql)?:\/\//;
const SECRET_PARAMETER = /password|secret|token/i;
/** What stands for a password wherever a URL is shown. */
const MASK = '***';

export const WAREHOUSES_ALLOWED =
  'NAME=URL pairs are allowed: names of 1 to 32 of A-Z a-z 0-9 _ -, each once, and postgres:// URLs with a host, each database once';

/** The URL as it may be shown: without the password, wherever it stands. A text that is no URL is not shown at all. */
export function maskUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^[a-z]+:\/\//.test(text)) return '(no URL; not shown, because it may hold a password)';
  if (url.password) url.password = MASK;
  for (const name of [...url.searchParams.keys()]) if (SECRET_PARAMETER.test(name)) url.searchParams.set(name, MASK);
  return url.href;
}

/**
 * Reads `HCM=postgres://… HN=postgres://…`. Faults are sentences that may be shown: what is no address is named by its
 * place, because a password with a space in it falls into pieces that nobody can recognise as secret.
 */
export function parseWarehouses(entries: readonly string[]): { addresses: WarehouseAddress[]; faults: string[] } {
  const addresses: WarehouseAddress[] = [];
  const faults: string[] = [];
  for (const [index, entry] of entries.entries()) {
    const [name = '', url = ''] = splitOnce(entry, '=');
    const isAddress = WAREHOUSE_NAME.test(name) && POSTGRES_URL.test(url);
    const fault = isAddress ? addressFault({ name, url }, addresses) : `entry ${index + 1} is not NAME=postgres://…`;
    if (fault === undefined) addresses.push({ name, url });
    else faults.push(fault);
  }
  if (entries.length === 0) faults.push('no warehouse is named');
  return { addresses, faults };
}

/** Splits at the first occurrence only: a URL may hold more of them. */
function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function addressFault(address: WarehouseAddress, others: readonly WarehouseAddress[]): string | undefined {
  const url = URL.parse(address.url);
  if (!url) return `${address.name} has no valid URL (not shown, because it may hold a password)`;
  if (!url.hostname && !url.searchParams.has('host')) return `${address.name} has a URL without a host`;
  for (const other of others) {
    if (other.name === address.name) return `${address.name} is named twice`;
    if (databaseOf(other.url) === databaseOf(address.url)) return `${address.name} and ${other.name} have the same database`;
  }
  return undefined;
}

/** What tells two databases apart, whoever logs in. */
function databaseOf(text: string): string {
  const url = new URL(text);
  return `${url.searchParams.get('host') ?? url.hostname}:${url.searchParams.get('port') ?? (url.port || '5432')}${url.pathname}`;
}
