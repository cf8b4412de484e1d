import { useVirtualizer } from '@tanstack/react-virtual';
import { type RefObject, useEffect, useLayoutEffect, useState } from 'react';
import type { OrderRows } from '../rows/use-order-rows.ts';

/** The rows that are in view, of all that there are. */
interface RowWindow {
  shown: readonly { index: number; start: number }[];
  heightPx: number;
  /** What is above and below the rows in view. */
  abovePx: number;
  belowPx: number;
}

const OVERSCAN = 8;
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
    overscan: OVERSCAN,
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
  return { shown, heightPx, abovePx: shown[0]?.start ?? 0, belowPx: Math.max(0, heightPx - (shown.at(-1)?.end ?? 0)) };
}

const BELOW_PX = 16;

/** How high an element may be to end with the window; measured again when what is above it grows. */
export function useHeightLeft(element: RefObject<HTMLElement | null>): number {
  const [heightPx, setHeightPx] = useState(600);
  useLayoutEffect(() => {
    const measure = (): void => {
      const top = (element.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      setHeightPx(Math.max(240, Math.floor(window.innerHeight - top - BELOW_PX)));
    };
    measure();
    const observer = new ResizeObserver(measure);
    // What is above belongs to the same page, and grows and shrinks with it.
    for (let box = element.current?.parentElement; box && box !== document.body; box = box.parentElement) observer.observe(box);
    window.addEventListener('resize', measure);
    return () => {
      observer.disconnect();
      window.removeEventListener('resize', measure);
    };
  }, [element]);
  return heightPx;
}
