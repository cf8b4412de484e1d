import { describe, expect, it } from 'vitest';
import { DEFAULT_LEASE, findLeaseFault, Lease } from './lease.ts';

describe('a lease', () => {
  it('I6: holds from the moment a heartbeat was sent, a margin less than its ttl', () => {
    const lease = new Lease({ ttlMs: 3_000, heartbeatMs: 750, marginMs: 600 });
    expect(lease.isHeldAt(0)).toBe(false);
    lease.renewedBy(1_000);
    expect(lease.deadline).toBe(3_400);
    expect([lease.isHeldAt(3_399), lease.isHeldAt(3_400)]).toEqual([true, false]);
  });

  it('an answer that comes late takes nothing back', () => {
    const lease = new Lease(DEFAULT_LEASE);
    lease.renewedBy(2_000);
    const { deadline } = lease;
    lease.renewedBy(1_000);
    expect(lease.deadline).toBe(deadline);
  });

  it('the defaults end no healthy node', () => {
    expect(findLeaseFault(DEFAULT_LEASE)).toBeUndefined();
  });

  it.each([
    [{ ttlMs: 3_000, heartbeatMs: 0, marginMs: 600 }, /heartbeat is 0 ms/],
    [{ ttlMs: 3_000, heartbeatMs: 1_001, marginMs: 600 }, /more than a third/],
    [{ ttlMs: 3_000, heartbeatMs: 750, marginMs: 299 }, /less than a tenth/],
    [{ ttlMs: 3_000, heartbeatMs: 750, marginMs: 2_250 }, /leave nothing/],
  ])('says what is wrong with %o', (settings, message) => {
    expect(findLeaseFault(settings)).toMatch(message);
  });
});
