/** What a node says after `--join` to reach the gateway of this page: short where a host and a port are enough. Pure. */
export function joinAddress({ protocol, host, port }: Pick<Location, 'protocol' | 'host' | 'port'>): string {
  return protocol === 'http:' && port !== '' ? host : `${protocol}//${host}`;
}
