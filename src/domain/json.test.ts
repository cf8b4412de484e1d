import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson, findJsonFault, type Json, MAX_JSON_DEPTH, textFault } from './json.ts';

function nested(depth: number): Json {
  let value: Json = 1;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const json = fc.jsonValue({ maxDepth: 4, noUnicodeString: false }).map((value) => value as Json);

describe('findJsonFault', () => {
  it.each<[unknown, string, RegExp]>([
    [{ note: 'a\u0000b' }, '/note', /U\+0000/],
    [{ list: ['fine', '\ud800'] }, '/list/1', /surrogate/],
    [{ 'k\u0000': 1 }, '', /a key contains/],
    [{ n: 2 ** 53 }, '/n', /beyond 2\^53/],
    [{ n: Number.POSITIVE_INFINITY }, '/n', /64-bit float/],
    [Number.NaN, '', /64-bit float/],
    [{ f: () => 1 }, '/f', /function/],
    [{ u: undefined }, '/u', /undefined/],
    [10n, '', /bigint/],
    [{ d: new Date(0) }, '/d', /JSON cannot hold/],
    [new Map(), '', /JSON cannot hold/],
  ])('finds the fault of %o', (value, path, reason) => {
    const fault = findJsonFault(value);
    expect(fault?.path).toBe(path);
    expect(fault?.reason).toMatch(reason);
  });

  it('finds none in what JSON can hold', () => {
    for (const value of [null, 0, -1.5, 'Đà Nẵng 👩‍👩‍👧', [], {}, Object.create(null), { a: [{ b: null }] }])
      expect(findJsonFault(value)).toBeUndefined();
  });

  it(`allows ${MAX_JSON_DEPTH} levels and refuses more, also a circle`, () => {
    expect(findJsonFault(nested(MAX_JSON_DEPTH))).toBeUndefined();
    expect(findJsonFault(nested(MAX_JSON_DEPTH + 1))?.reason).toMatch(/nested deeper/);
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(findJsonFault(circle)?.reason).toMatch(/nested deeper/);
  });

  it('stops at a structure that repeats itself instead of walking it for ever', () => {
    let wide: unknown = 1;
    for (let level = 0; level < 30; level += 1) wide = [wide, wide, wide];
    expect(findJsonFault(wide)?.reason).toMatch(/holds more than/);
  });

  it('names the fault of a text', () => {
    expect(textFault('plain')).toBeUndefined();
    expect(textFault('\udc00 half')).toMatch(/surrogate/);
  });
});

describe('canonicalJson', () => {
  it('is one spelling for equal values, whatever the order of their keys', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(reversed(value))).toBe(text);
      }),
    );
  });

  it('tells different values apart', () => {
    const different: Json[] = [{}, [], null, '', 0, false, '0', [0], { a: 1 }, { a: '1' }, { a: [1] }, { a: 1, b: 2 }, [['a', 1]]];
    expect(new Set(different.map(canonicalJson)).size).toBe(different.length);
  });
});

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).map(([key, child]): [string, Json] => [key, reversed(child)]);
  return Object.fromEntries(members.reverse());
}
