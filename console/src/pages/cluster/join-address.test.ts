import { describe, expect, it } from 'vitest';
import { joinAddress } from './join-address.ts';

describe('the address to join at', () => {
  it.each([
    ['http://localhost:8080/ui/cluster', 'localhost:8080'],
    ['http://[::1]:8080/', '[::1]:8080'],
    ['http://conveyor.example/', 'http://conveyor.example'],
    ['https://conveyor.example:8443/', 'https://conveyor.example:8443'],
  ])('of %s is %s', (page, address) => {
    expect(joinAddress(new URL(page))).toBe(address);
  });
});
