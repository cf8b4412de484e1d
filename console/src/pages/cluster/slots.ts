/** Where a node's slots are drawn: little squares in rows, in two paths, so that thousands of them cost nothing. Pure. */

const CELL = 8;
const PITCH = 10;
const WIDE = 25;
const VERY_WIDE = 50;

export interface SlotPaths {
  width: number;
  height: number;
  busy: string;
  free: string;
}

export function drawSlots(slots: number, busy: number): SlotPaths {
  const columns = slots <= WIDE * 4 ? WIDE : VERY_WIDE;
  const rows = Math.max(1, Math.ceil(slots / columns));
  const taken = Math.min(Math.max(busy, 0), slots);
  return {
    width: columns * PITCH - (PITCH - CELL),
    height: rows * PITCH - (PITCH - CELL),
    busy: drawCells(0, taken, columns),
    free: drawCells(taken, slots, columns),
  };
}

function drawCells(from: number, until: number, columns: number): string {
  let path = '';
  for (let index = from; index < until; index += 1)
    path += `M${(index % columns) * PITCH} ${Math.floor(index / columns) * PITCH}h${CELL}v${CELL}h-${CELL}z`;
  return path;
}
