import { describe, expect, it } from 'vitest';
import { MAX_VIEWS, readViews, renamed, withView } from './saved-views.ts';

const A = { name: 'A', q: 'status:failed' };
const B = { name: 'B', q: '', cols: 'status,step' };

describe('saved views', () => {
  it('are read back, and what is none is left out', () => {
    expect(readViews(JSON.stringify([A, B, { name: 1 }, null, { name: 'C', q: 'x', cols: 7 }]))).toEqual([A, B, { name: 'C', q: 'x' }]);
    for (const stored of [null, '', 'no json', '{}', '7']) expect(readViews(stored)).toEqual([]);
  });

  it('have one for each name, and not more than so many', () => {
    expect(withView([A, B], { name: 'A', q: 'id:0199' })).toEqual([B, { name: 'A', q: 'id:0199' }]);
    const many = Array.from({ length: MAX_VIEWS }, (_, index) => ({ name: `${index}`, q: '' }));
    expect(withView(many, A)).toHaveLength(MAX_VIEWS);
  });

  it('are renamed in their place, over one of the same name', () => {
    expect(renamed([A, B], 'A', 'C')).toEqual([{ ...A, name: 'C' }, B]);
    expect(renamed([A, B], 'A', 'B')).toEqual([{ ...A, name: 'B' }]);
    expect(renamed([A, B], 'A', 'A')).toEqual([A, B]);
  });
});
