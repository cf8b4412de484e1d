import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { findPort, isLoopback, localUrl } from './port.ts';

describe('the port', () => {
  let taken: Server | undefined;
  afterEach(() => new Promise<void>((resolve) => (taken ? taken.close(() => resolve()) : resolve())));

  it('is a free one for 0, and free again afterwards', async () => {
    const port = await findPort('127.0.0.1', 0);
    expect(port).toBeGreaterThan(0);
    expect(await findPort('127.0.0.1', port)).toBe(port);
  });

  it('is refused with another proposal when it is taken', async () => {
    const port = await findPort('127.0.0.1', 0);
    taken = createServer();
    await new Promise<void>((resolve) => taken?.listen(port, '127.0.0.1', resolve));
    await expect(findPort('127.0.0.1', port)).rejects.toThrow(
      new RegExp(`^port ${port} on 127.0.0.1 is used by another program; choose another with --port \\d+`),
    );
  });

  it('is refused on an address of another machine', async () => {
    await expect(findPort('192.0.2.1', 0)).rejects.toThrow(/--host is "192.0.2.1"; allowed is an address of this machine/);
  });
});

describe('an address', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['localhost', true],
    ['::1', true],
    ['[::1]', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.1.5', false],
    ['127.0.0.1.evil.example', false],
    ['localhost.example', false],
  ])('%s is this machine only: %s', (host, expected) => {
    expect(isLoopback(host)).toBe(expected);
  });

  it('is printed as people use it', () => {
    expect(localUrl('127.0.0.1', 8080)).toBe('http://localhost:8080');
    expect(localUrl('0.0.0.0', 1)).toBe('http://localhost:1');
    expect(localUrl('10.0.0.1', 1)).toBe('http://10.0.0.1:1');
    expect(localUrl('fd00::1', 1)).toBe('http://[fd00::1]:1');
  });
});
