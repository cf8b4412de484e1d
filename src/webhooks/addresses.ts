import { lookup as resolveName } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * Which addresses a webhook may reach. A customer chooses the URL, so it must not lead into our own network: every address that a
 * name has is checked, and the connection goes to the address that was checked.
 */

/** Not global: IANA's special-purpose registries for IPv4 and IPv6, and what carries an IPv4 address inside. */
const INNER = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INNER.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  INNER.addSubnet(network, prefix, 'ipv6');

export function isInnerAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  if (family === 4) return INNER.check(address, 'ipv4');
  // As one spelling; what has none (a zone) is of this machine. `BlockList` judges an address that carries IPv4 by what it carries;
  // nobody outside is reached by one, so all of them are inside.
  const host = URL.parse(`http://[${address}]`)?.hostname ?? '[::ffff:0:0]';
  return host.startsWith('[::ffff:') || INNER.check(address, 'ipv6');
}

/** Where a webhook must not lead. */
export class InnerAddress extends Error {
  constructor(host: string) {
    super(`${host} is an address of a private network; webhooks must be reachable from everywhere`);
    this.name = 'InnerAddress';
  }
}

/** What is wrong with the URL itself; `undefined` when nothing is. Its name may still lead inside: see `guardedLookup`. */
export function findUrlFault(text: string, allowInner: boolean): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\s\u0000-\u001f\u007f]/.test(text)) return 'must not hold spaces or control characters';
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:')) return 'must be an http or https URL';
  if (url.username !== '' || url.password !== '') return 'must not hold a name or a password';
  if (url.hash !== '') return 'must not have a fragment';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (allowInner) return undefined;
  if (isIP(host) !== 0) return isInnerAddress(host) ? 'must not be an address of a private network' : undefined;
  return /(^|\.)(localhost|local|internal|home\.arpa)\.?$/i.test(host) || !host.includes('.')
    ? 'must not be a name of a private network'
    : undefined;
}

/** Looks a name up for a connection, and refuses it when any of its addresses is inside. */
export function guardedLookup(allowInner: boolean, resolve: typeof resolveName = resolveName): LookupFunction {
  return (host, options, callback) => {
    resolve(host, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '');
      const inner = allowInner ? undefined : addresses.find(({ address }) => isInnerAddress(address));
      if (inner) return callback(new InnerAddress(host), '');
      const [first] = addresses;
      if (!first) return callback(new Error(`${host} has no address`), '');
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
