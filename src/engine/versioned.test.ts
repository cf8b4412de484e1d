import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNewer, keepNewer, newestOf, newestOfEach, type Versioned } from './versioned.ts';

interface Flag extends Versioned {
  name: string;
  disabled: boolean;
}

const flag = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  version: fc.integer({ min: 1, max: 3 }),
  changedAt: fc.integer({ min: 0, max: 2 }),
  disabled: fc.boolean(),
});
const nameOf = ({ name }: Flag): string => name;

describe('copies of a record', () => {
  it('the higher version is newer, then the later change, then the disabled one', () => {
    const base = { version: 2, changedAt: 10, disabled: false };
    for (const newer of [
      { version: 3, changedAt: 0, disabled: false },
      { ...base, changedAt: 11 },
      { ...base, disabled: true },
    ]) {
      expect(isNewer(newer, base)).toBe(true);
      expect(isNewer(base, newer)).toBe(false);
    }
    expect(isNewer(base, base)).toBe(false);
  });

  it('whichever way they meet, the same one of each counts in the end', () => {
    const content = (flags: readonly Flag[]): string[] => flags.map((one) => JSON.stringify(one)).sort();
    fc.assert(
      fc.property(fc.array(flag), fc.nat(), (copies, split) => {
        const newest = newestOfEach(copies, nameOf);
        expect(content(newestOfEach(copies.toReversed(), nameOf))).toEqual(content(newest));
        const known = new Map<string, Flag>();
        keepNewer(known, copies.slice(split % (copies.length + 1)), nameOf);
        keepNewer(known, copies.slice(0, split % (copies.length + 1)), nameOf);
        expect(content([...known.values()])).toEqual(content(newest));
        for (const name of new Set(copies.map(nameOf))) {
          const best = newestOf(copies.filter((copy) => copy.name === name)) as Flag;
          expect(newest).toContainEqual(best);
        }
      }),
    );
  });

  it('of none there is no newest', () => {
    expect(newestOf([])).toBeUndefined();
    expect(newestOfEach([], nameOf)).toEqual([]);
  });
});
