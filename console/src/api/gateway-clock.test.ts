import { afterEach, describe, expect, it, vi } from 'vitest';
import { gatewayNow, noteGatewayDate } from './gateway-clock.ts';

const DATE = 'Sat, 21 Nov 2026 10:00:00 GMT';
const AT = Date.parse(DATE);

function aheadAfter(date: string | null, askedAt: number, answeredAt: number): number {
  vi.useFakeTimers({ now: answeredAt });
  noteGatewayDate(date, askedAt, answeredAt);
  return gatewayNow() - answeredAt;
}

describe("the gateway's clock", () => {
  afterEach(() => void vi.useRealTimers());

  it('is this one as long as the answers allow it', () => {
    expect(aheadAfter(DATE, AT - 50, AT + 20)).toBe(0);
    expect(aheadAfter(DATE, AT + 900, AT + 980)).toBe(0);
  });

  it('is ahead or behind by no more than the answers show', () => {
    expect(aheadAfter(DATE, AT - 60_000, AT - 59_900)).toBe(59_900);
    expect(aheadAfter(DATE, AT + 60_000, AT + 60_100)).toBe(-59_000);
  });

  it('an answer without a date tells nothing', () => {
    expect(aheadAfter(DATE, AT - 60_000, AT - 60_000)).toBe(60_000);
    expect(aheadAfter(null, AT, AT)).toBe(60_000);
  });
});
