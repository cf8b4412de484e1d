import { describe, expect, it } from 'vitest';
import { append, type Kept, merge, type NewestPage } from './newest-merge.ts';

interface Entry {
  id: string;
  text?: string;
}

const page = (ids: string, hasMore: boolean): NewestPage<Entry> => ({
  entries: [...ids].map((id) => ({ id })),
  has_more: hasMore,
  ...(hasMore ? { next_cursor: `before ${ids.at(-1)}` } : {}),
});
const shown = ({ entries, cursor }: Kept<Entry>): string => `${entries.map(({ id }) => id).join('')} ${cursor ?? 'end'}`;

describe('the newest page', () => {
  it('is all that is known at first', () => {
    expect(shown(merge(undefined, page('fed', true)))).toBe('fed before d');
  });

  it('goes before what is known, which keeps its place for older ones', () => {
    const kept = append(merge(undefined, page('fed', true)), page('cb', true));
    expect(shown(kept)).toBe('fedcb before b');
    expect(shown(merge(kept, page('hgf', true)))).toBe('hgfedcb before b');
    expect(shown(merge(kept, page('gfe', true)))).toBe('gfedcb before b');
  });

  it('has the last word on its own entries', () => {
    const kept = merge(undefined, page('dcb', true));
    const changed = merge(kept, { ...page('edb', true), entries: [{ id: 'e' }, { id: 'd', text: 'changed' }, { id: 'b' }] });
    expect(changed.entries).toEqual([{ id: 'e' }, { id: 'd', text: 'changed' }, { id: 'b' }]);
    expect(changed.cursor).toBe('before b');
  });

  it('starts over where more came than it holds', () => {
    expect(shown(merge(merge(undefined, page('cba', true)), page('hgf', true)))).toBe('hgf before f');
  });

  it('is the whole list when there is no more', () => {
    expect(shown(merge(append(merge(undefined, page('fed', true)), page('cb', false)), page('gf', false)))).toBe('gf end');
    expect(shown(merge(merge(undefined, page('f', false)), page('', false)))).toBe(' end');
  });

  it('names who is missing', () => {
    expect(merge(undefined, { ...page('a', false), missing_warehouses: ['HN'] }).missing).toEqual(['HN']);
  });
});

describe('an older page', () => {
  it('follows, without what is there already', () => {
    const kept = merge(undefined, page('fed', true));
    expect(shown(append(kept, page('dcb', false)))).toBe('fedcb end');
    expect(shown(append(undefined, page('cb', true)))).toBe('cb before b');
  });
});
