import { describe, expect, it } from 'vitest';
import { readSessionCookie } from './session-cookie.ts';

const read = (cookie: string | undefined): string | undefined => readSessionCookie({ headers: cookie === undefined ? {} : { cookie } });

describe('the session cookie', () => {
  it.each([
    ['conveyor_session=abc', 'abc'],
    ['a=1; conveyor_session=abc; b=2', 'abc'],
    ['a=1;conveyor_session=a%20b%3B', 'a b;'],
    ['conveyor_session=first; conveyor_session=second', 'first'],
    ['conveyor_session=a=b', 'a=b'],
  ])('in %j is %j', (cookie, token) => expect(read(cookie)).toBe(token));

  it.each([
    undefined,
    '',
    'conveyor_session=',
    'conveyor_session= ; a=1',
    'conveyor_session=%zz',
    'my_conveyor_session=abc',
    'conveyor_sessions=abc',
    'a="conveyor_session=abc"',
  ])('is not in %j', (cookie) => expect(read(cookie)).toBeUndefined());

  it('is found in a long header in no time', () => {
    const startedAt = performance.now();
    for (const part of [' ', ';', '; ', 'conveyor_session', 'conveyor_session =']) read(part.repeat(16_384 / part.length));
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });
});
