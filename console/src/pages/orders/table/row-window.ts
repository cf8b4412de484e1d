import { useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useEffect } from 'react';
import { useIsDrawn } from '../../../parts/once-drawn.tsx';
import type { OrderRows } from '../rows/use-order-rows.ts';

/** The rows that are in view, of all that there are. */
interface RowWindow {
  shown: readonly { index: number; start: number }[];
  heightPx: number;
  /** What is above and below the rows in view. */
  abovePx: number;
  belowPx: number;
  /** How far it is scrolled, as was last heard: asking the document costs a layout. */
  scrolledPx: number;
}

const OVERSCAN = 8;
const FIRST_ROWS = 20;
/** Older orders are asked for when so many rows are left below. */
const READ_AHEAD = 30;
/** What may lie over the lower edge does not hide the row that the keyboard is at. */
const FOOT_PX = 60;

export function useRowWindow(
  scroller: RefObject<HTMLDivElement | null>,
  orders: OrderRows,
  cursorIndex: number,
  { rowPx, headPx }: { rowPx: number; headPx: number },
): RowWindow {
  const virtual = useVirtualizer({
    count: orders.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    // The rows in view come first.
    overscan: useIsDrawn() ? OVERSCAN : 0,
    // Drawn with the page, before it is known how many have room.
    initialRect: { width: 0, height: FIRST_ROWS * rowPx },
    scrollPaddingStart: headPx + rowPx,
    scrollPaddingEnd: Math.max(rowPx, FOOT_PX),
  });
  const shown = virtual.getVirtualItems();
  const lastShown = shown.at(-1)?.index ?? 0;
  const { hasOlder, isReadingOlder, error, readOlder, isOld } = orders;
  const isNearEnd = lastShown >= orders.rows.length - READ_AHEAD;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each reading that ends short of the view begins the next.
  useEffect(() => {
    if (isNearEnd && hasOlder && !isReadingOlder && !error && !isOld) readOlder();
  }, [isNearEnd, hasOlder, isReadingOlder, error, isOld, orders.rows.length]);
  useEffect(() => {
    if (cursorIndex >= 0) virtual.scrollToIndex(cursorIndex, { align: 'auto' });
  }, [cursorIndex, virtual]);
  const heightPx = virtual.getTotalSize();
  return {
    ...{ shown, heightPx, abovePx: shown[0]?.start ?? 0, belowPx: Math.max(0, heightPx - (shown.at(-1)?.end ?? 0)) },
    scrolledPx: virtual.scrollOffset ?? 0,
  };
}
