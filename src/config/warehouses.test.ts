import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSetting } from './parse.ts';
import { SETTINGS } from './settings.ts';
import { maskUrl, parseWarehouses } from './warehouses.ts';

const parse = (text: string) => parseWarehouses(text.split(' '));

describe('the list of warehouses', () => {
  it('is read as names and URLs', () => {
    expect(parse('HCM=postgres://u:p@db1/hcm?sslmode=require HN=postgresql://db2:6432/hn')).toEqual({
      faults: [],
      addresses: [
        { name: 'HCM', url: 'postgres://u:p@db1/hcm?sslmode=require' },
        { name: 'HN', url: 'postgresql://db2:6432/hn' },
      ],
    });
  });

  it('is the same as a text, a list and an object', () => {
    const url = 'postgres://db/a';
    const expected = { value: [{ name: 'A', url }] };
    for (const written of [`A=${url}`, [`A=${url}`], { A: url }]) expect(parseSetting(SETTINGS.warehouses, written)).toEqual(expected);
  });

  it.each([
    ['', 'entry 1 is not NAME=postgres://'],
    ['HCM', 'entry 1 is not NAME=postgres://'],
    ['A=postgres://db/a M=x', 'entry 2 is not NAME=postgres://'],
    ['HCM=postgres://db:port/a', 'HCM has no valid URL'],
    [`${'x'.repeat(33)}=postgres://db/a`, 'entry 1 is not NAME=postgres://'],
    ['HCM=mysql://db/a', 'entry 1 is not NAME=postgres://'],
    ['HCM=postgres:///a', 'HCM has a URL without a host'],
    ['A=postgres://db/a A=postgres://db/b', 'A is named twice'],
    ['A=postgres://u:p@db/a B=postgres://v:q@db:5432/a', 'B and A have the same database'],
  ])('refuses %j', (text, fault) => {
    expect(parse(text).faults).toContainEqual(expect.stringContaining(fault));
  });

  it('never shows a password, however it is written', () => {
    const password = fc.stringMatching(/^[a-z0-9 @/:?#%=&]{0,12}SECRET[a-z0-9 @/:?#%=&]{0,12}$/);
    fc.assert(
      fc.property(password, fc.constantFrom('postgres', 'mysql', 'http', ''), (secret, scheme) => {
        const parsed = parseSetting(SETTINGS.warehouses, `HCM=${scheme}://conveyor:${secret}@db/hcm HCM=postgres://x:${secret}@db/hcm`);
        if ('fault' in parsed) expect(parsed.fault).not.toContain('SECRET');
      }),
    );
  });
});

describe('a masked URL', () => {
  it('keeps everything but the password', () => {
    expect(maskUrl('postgres://conveyor:s3cret@127.0.0.1:5433/conveyor?a=b')).toBe('postgres://conveyor:***@127.0.0.1:5433/conveyor?a=b');
    expect(maskUrl('postgres://db/x?user=u&password=s3cret')).toBe('postgres://db/x?user=u&password=***');
    expect(maskUrl('postgres://db/x')).toBe('postgres://db/x');
  });

  it('is nothing where the text is no URL', () => {
    expect(maskUrl('u:s3cret@db')).not.toContain('s3cret');
    expect(maskUrl('no url s3cret')).not.toContain('s3cret');
  });
});
