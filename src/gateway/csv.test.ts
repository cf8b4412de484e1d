import { describe, expect, it } from 'vitest';
import { csvLine } from './csv.ts';

describe('csvLine', () => {
  it('separates cells by commas and ends with CRLF; what is not there is empty', () => {
    expect(csvLine(['a', undefined, 7, ''])).toBe('a,,7,\r\n');
  });

  it.each([
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\nlines', '"two\nlines"'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['Hà Nội; 1', 'Hà Nội; 1'],
  ])('quotes %j where it must', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each([
    ['=1+1', `'=1+1`],
    ['+1', `'+1`],
    ['-1', `'-1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['\t=1', `'\t=1`],
    ['\r=1', `"'\r=1"`],
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ])('%j is no formula any more', (text, cell) => {
    expect(csvLine([text])).toBe(`${cell}\r\n`);
  });

  it.each(['1=1', 'a+b', 'x-y', 'me@example.com', "'=1"])('%j stays as it is', (text) => {
    expect(csvLine([text])).toBe(`${text}\r\n`);
  });
});
