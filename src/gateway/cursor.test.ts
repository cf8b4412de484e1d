import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from './cursor.ts';

const ID = '01a1fc2c-96ee-776a-958b-4d3ce2a4f4b4';
const BROKEN = ['', 'x', '!', 'AAAA', encodeCursor('no-uuid', 'a'), `${encodeCursor(ID, 'a')}=`, Buffer.from(ID).toString('base64url')];

describe('a cursor', () => {
  it('comes back as the id it was made of', () => {
    expect(decodeCursor(encodeCursor(ID, 'a'), 'a')).toBe(ID);
  });

  it('is good only for the list it was made by', () => {
    expect(() => decodeCursor(encodeCursor(ID, 'a'), 'b')).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
  });

  it.each(BROKEN)('is not "%s"', (text) => {
    expect(() => decodeCursor(text, 'a')).toThrow(expect.objectContaining({ code: 'invalid-cursor' }));
  });
});
