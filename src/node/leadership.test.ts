import { describe, expect, it } from 'vitest';
import type { Log } from '#engine/log.ts';
import { silentLog } from '#engine/log.ts';
import { Leadership } from './leadership.ts';

describe('leading', () => {
  it('bids with the term it has, and reports work once, after it was done', () => {
    const leadership = new Leadership(1, silentLog);
    expect(leadership.bid()).toEqual({ term: undefined, worked: false });
    leadership.follow(7);
    expect(leadership.bid()).toEqual({ term: 7, worked: false });
    leadership.noteWork();
    expect(leadership.bid()).toEqual({ term: 7, worked: true });
    expect(leadership.bid()).toEqual({ term: 7, worked: false });
  });

  it('ends when another has the lease, or when nobody answered; both are said once', () => {
    const said: string[] = [];
    const log: Log = { ...silentLog, info: (_, message) => void said.push(message) };
    const leadership = new Leadership(1, log);
    for (const term of [3, 3, undefined, undefined, 5]) leadership.follow(term);
    expect(leadership.term).toBe(5);
    expect(said).toEqual(['this node leads its warehouse', 'this node does not lead any more', 'this node leads its warehouse']);
  });
});
