import { describe, expect, it } from 'vitest';
import { findUrlFault, isInnerAddress } from './addresses.ts';

describe('addresses that webhooks may reach', () => {
  it.each([
    ...[
      '0.0.0.0',
      '10.0.0.1',
      '100.64.0.1',
      '127.0.0.1',
      '127.255.255.254',
      '169.254.169.254',
      '172.16.0.1',
      '172.31.255.255',
      '192.0.0.1',
    ],
    ...[
      '192.168.1.1',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
      '::',
      '::1',
      '::ffff:127.0.0.1',
      '::ffff:8.8.8.8',
      '64:ff9b::a9fe:a9fe',
    ],
    ...['2002:7f00:1::', '2001:0:53aa::', '2001:db8::1', 'fc00::1', 'fd12:3456::1', 'fe80::1', 'ff02::1', 'no address'],
  ])('%s is inside', (address) => expect(isInnerAddress(address)).toBe(true));

  it.each([
    '8.8.8.8',
    '93.184.216.34',
    '172.15.255.255',
    '172.32.0.0',
    '100.63.255.255',
    '2606:2800:220:1:248:1893:25c8:1946',
    '2a00:1450::1',
  ])('%s is outside', (address) => expect(isInnerAddress(address)).toBe(false));

  it.each([
    ...[
      'http://127.0.0.1/',
      'http://2130706433/',
      'http://0177.0.0.1/',
      'http://0x7f000001/',
      'http://127.1/',
      'http://[::1]:80/',
      'http://[::ffff:a9fe:a9fe]/',
    ],
    ...[
      'http://localhost',
      'http://LOCALHOST.',
      'http://a.localhost/',
      'http://printer.local/',
      'http://db.internal/',
      'http://router.home.arpa/',
      'http://db:5432/',
    ],
    ...['https://example.com/\u0000', ' https://example.com/', 'https://example.com/a b'],
    ...['ftp://example.com/', 'file:///etc/passwd', 'http://user@example.com/', 'https://example.com/#x', '', 'example.com'],
  ])('%s is refused', (url) => expect(findUrlFault(url, false)).toEqual(expect.stringMatching(/^must /)));

  it('names and addresses of everybody are taken; one’s own only when that is allowed', () => {
    for (const url of ['https://example.com/hook?x=1', 'http://8.8.8.8:8080/', 'https://[2a00:1450::1]/'])
      expect(findUrlFault(url, false)).toBeUndefined();
    for (const url of ['http://127.0.0.1:9/', 'http://localhost/', 'http://db/']) expect(findUrlFault(url, true)).toBeUndefined();
    expect(findUrlFault('ftp://localhost/', true)).toMatch(/^must/);
  });
});
