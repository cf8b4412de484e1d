import { join } from 'node:path';
import type { Account } from './execute.ts';
import { writePrivate } from './private-file.ts';

/** Ours, on top of what `initdb` found out about the machine. Durable by default: `fsync` and `synchronous_commit` stay on. */
const SETTINGS: Readonly<Record<string, string>> = {
  // Unix sockets have paths of at most 107 bytes, which a deep checkout exceeds; TCP has no such trap.
  unix_socket_directories: '',
  shared_buffers: '256MB',
  // A node has seven connections: room for a cluster of more than a hundred.
  max_connections: '1000',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  autovacuum_naptime: '10s',
  jit: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  random_page_cost: '1.1',
  password_encryption: 'scram-sha-256',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_min_messages: 'warning',
  log_line_prefix: '%m [%p] %q%a ',
  log_checkpoints: 'off',
  cluster_name: 'conveyor',
};

/** The command line of the postmaster. */
export function postmasterArguments(
  data: string,
  port: number,
  hosts: readonly string[],
  extra: Readonly<Record<string, string>>,
): string[] {
  const settings = { ...SETTINGS, ...extra, port: String(port), listen_addresses: hosts.join(',') };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** The addresses to listen on: always loopback, which our own URL names, and the one that was asked for. */
export function listenAddresses(host: string): string[] {
  if (isLoopback(host)) return ['127.0.0.1'];
  if (host === '0.0.0.0') return ['0.0.0.0'];
  if (host === '::' || host === '*') return ['*'];
  return ['127.0.0.1', host];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** Who may come in: with the password only, and from elsewhere only when we listen beyond loopback. */
export async function writeAccessRules(data: string, hosts: readonly string[], account: Account | undefined): Promise<void> {
  const everywhere = hosts.length > 1 || hosts[0] !== '127.0.0.1';
  const from = everywhere ? ['0.0.0.0/0', '::0/0'] : ['127.0.0.1/32'];
  const rules = from.map((range) => `host all all ${range} scram-sha-256\n`);
  await writePrivate(join(data, 'pg_hba.conf'), `# Written by Conveyor at every start.\n${rules.join('')}`, 0o600, account);
}
