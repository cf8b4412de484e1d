import { createServer } from 'node:net';
import { CommandFault, EXIT } from './faults.ts';

/** Whether an address is reachable from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * The port the gateway will have: the given one if it is free, any free one for 0. Asked before anything is started, so
 * that a taken port is said at once.
 */
export function findPort(host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => reject(explainListenFault(error, host, port)));
    probe.listen({ host, port, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

/** One clear line instead of a system error. */
export function explainListenFault(
  error: unknown,
  host: string,
  port: number,
  flags: { port: string; host: string } = { port: '--port', host: '--host' },
): Error {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE': {
      const next = port < 65_535 ? port + 1 : port - 1;
      return new CommandFault(
        EXIT.failed,
        `port ${port} on ${host} is used by another program; choose another with ${flags.port} ${next}, or ${flags.port} 0 for a free one`,
      );
    }
    case 'EACCES':
      return new CommandFault(
        EXIT.failed,
        `port ${port} on ${host} needs more rights than this process has; choose one from 1024 with ${flags.port}`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new CommandFault(
        EXIT.usage,
        `${flags.host} is "${host}"; allowed is an address of this machine, such as 127.0.0.1 or 0.0.0.0`,
      );
    default:
      return error instanceof Error ? error : new Error(String(error));
  }
}

/** The address people and scripts on this machine use. */
export function localUrl(host: string, port: number): string {
  const isAny = host === '0.0.0.0' || host === '::';
  const name = isAny || isLoopback(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}`;
}
