import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { suggest, type Vocabulary } from './completion.ts';
import { parseQuery } from './query.ts';

const NODE = '644e9e08-f267-4641-a39b-dd20bbee53bb';
const VOCABULARY: Vocabulary = {
  warehouses: ['HCM', 'HN'],
  regions: ['HCM', 'HN', 'Đà Nẵng'],
  steps: ['Scheduling', 'Pre-Processing'],
  nodes: [{ id: NODE, name: 'vm-HCM', warehouse: 'HCM' }],
};

/** `|` is the caret. */
const offered = (marked: string): string[] => {
  const caret = marked.indexOf('|');
  return suggest(marked.replace('|', ''), caret, VOCABULARY).map(({ label }) => label);
};
const taken = (marked: string, wanted: string): string => {
  const caret = marked.indexOf('|');
  const one = suggest(marked.replace('|', ''), caret, VOCABULARY).find(({ label }) => label === wanted);
  return one ? `${one.text.slice(0, one.caret)}|${one.text.slice(one.caret)}` : 'nothing';
};

describe('what is offered', () => {
  it('in an empty box: everything one can search by', () => {
    expect(offered('|')).toContain('status:');
    expect(offered('|')).toHaveLength(11);
  });

  it('what is there already is not offered again', () => {
    expect(offered('status:failed |')).not.toContain('status:');
  });

  it('names that begin so, and what a bare word can be', () => {
    expect(offered('st|')).toEqual(['status:', 'step:', 'customer:st', 'tracking:st', 'symbol:st']);
  });

  it('a word that looks like an id is one first', () => {
    expect(offered('0199f3|')).toEqual(['id:0199f3', 'customer:0199f3', 'tracking:0199f3', 'symbol:0199f3']);
  });

  it('several bare words are one name', () => {
    expect(offered('region:HN An Ng|')).toEqual(['customer:"An Ng"', 'tracking:"An Ng"', 'symbol:"An Ng"']);
    expect(taken('region:HN An Ng|', 'customer:"An Ng"')).toBe('region:HN customer:"An Ng" |');
  });

  it('values of the qualifier at the caret', () => {
    expect(offered('status:c|')).toEqual(['status:completed', 'status:cancelled']);
    expect(offered('warehouse:|')).toEqual(['warehouse:HCM', 'warehouse:HN']);
    expect(offered('region:đ|')).toEqual(['region:Đà Nẵng']);
    expect(offered('step:pre|')).toEqual(['step:Pre-Processing']);
    expect(offered('since:3|')).toEqual(['since:3m', 'since:3h', 'since:3d']);
    expect(offered('colour:|')).toEqual([]);
  });

  it('nodes by name, taken by id', () => {
    expect(offered('node:hcm|')).toEqual(['node:vm-HCM']);
    expect(taken('node:hcm|', 'node:vm-HCM')).toBe(`node:${NODE} |`);
  });
});

describe('what is taken', () => {
  it('replaces the word at the caret and nothing else', () => {
    expect(taken('sta| region:HN', 'status:')).toBe('status:| region:HN');
    expect(taken('status:f| region:HN', 'status:failed')).toBe('status:failed |region:HN');
    expect(taken('region:đ|', 'region:Đà Nẵng')).toBe('region:"Đà Nẵng" |');
  });

  it('is never a fault of its own, whatever was typed', () => {
    const typed = fc.string({ unit: fc.constantFrom('a', 'é', '"', '\\', ' ', '0', 'f', '-', '1', 'h'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(typed, (text) => {
        if (parseQuery(text).faults.length > 0) return;
        for (const { text: whole } of suggest(text, text.length, VOCABULARY).filter(({ label }) => !label.endsWith(':')))
          expect(parseQuery(whole).faults).toEqual([]);
      }),
    );
  });
});
