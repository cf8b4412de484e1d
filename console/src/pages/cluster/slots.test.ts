import { describe, expect, it } from 'vitest';
import { drawSlots } from './slots.ts';

const cellsOf = (path: string): number => path.split('M').length - 1;

describe('drawing slots', () => {
  it('draws a square for each slot, busy ones first', () => {
    const { busy, free, width, height } = drawSlots(50, 6);
    expect([cellsOf(busy), cellsOf(free)]).toEqual([6, 44]);
    expect([width, height]).toEqual([248, 18]);
    expect(busy).toMatch(/^M0 0h8v8h-8zM10 0/);
  });

  it('begins a new row where one is full', () => {
    expect(drawSlots(50, 26).busy).toMatch(/M0 10h8v8h-8z$/);
  });

  it('has at least one row, and narrower squares for very many', () => {
    expect(drawSlots(0, 0)).toEqual({ width: 248, height: 8, busy: '', free: '' });
    expect(drawSlots(1_000, 0).width).toBe(498);
  });

  it('draws no more than there are, whatever is counted', () => {
    expect(cellsOf(drawSlots(10, 14).busy)).toBe(10);
    expect(cellsOf(drawSlots(10, -1).free)).toBe(10);
  });
});
