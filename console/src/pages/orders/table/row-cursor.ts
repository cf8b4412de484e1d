import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useState } from 'react';
import { type Shortcut, useShortcuts } from '../../../shell/shortcuts.tsx';
import type { OrderRow } from '../rows/order-row.ts';

/** The row that the keyboard is at. It stays with its order, wherever that goes. */
export interface RowCursor {
  /** -1: nowhere. */
  index: number;
  id: string | undefined;
  set: (id: string | undefined) => void;
  move: (by: number) => void;
}

export function useRowCursor(rows: readonly OrderRow[], id: string | undefined, set: (id: string | undefined) => void): RowCursor {
  const index = useMemo(() => (id === undefined ? -1 : rows.findIndex((row) => row.order_id === id)), [rows, id]);
  const move = useCallback(
    (by: number) => {
      const to = index < 0 ? 0 : Math.min(Math.max(index + by, 0), rows.length - 1);
      set(rows[to]?.order_id);
    },
    [rows, index, set],
  );
  return { index, id: index < 0 ? undefined : id, set, move };
}

interface RowKeys {
  cursor: RowCursor;
  rows: readonly OrderRow[];
  toggle?: ((row: OrderRow) => void) | undefined;
  /** Leaves the rows: nothing is selected any more, and the list goes on by itself. */
  leave: () => void;
  toNewest: () => void;
}

/** `j k o x Esc .` */
export function useRowKeys({ cursor, rows, toggle, leave, toNewest }: RowKeys): void {
  const navigate = useNavigate();
  const shortcuts = useMemo<Shortcut[]>(() => {
    const row = rows[cursor.index];
    return [
      { keys: 'j', does: 'Next order', run: () => cursor.move(1) },
      { keys: 'k', does: 'Order before', run: () => cursor.move(-1) },
      {
        keys: 'o',
        does: 'Open the order (Enter too)',
        run: () => void (row && navigate({ to: '/ui/orders/$id', params: { id: row.order_id } })),
      },
      ...(toggle ? [{ keys: 'x', does: 'Select the order', run: () => row && toggle(row) }] : []),
      { keys: '.', does: 'Show the newest orders', run: toNewest },
      { keys: 'Escape', does: 'Leave the rows, select nothing', run: leave },
    ];
  }, [cursor, rows, toggle, leave, toNewest, navigate]);
  useShortcuts(shortcuts);
}

export interface Selected {
  count: number;
  has: (id: string) => boolean;
  toggle: (row: OrderRow) => void;
  clear: () => void;
}

/** Orders that were chosen one by one. */
export function useSelected(): Selected {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback(({ order_id: id }: OrderRow) => {
    setIds((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  }, []);
  const clear = useCallback(() => setIds((before) => (before.size === 0 ? before : new Set())), []);
  return useMemo(() => ({ count: ids.size, has: (id) => ids.has(id), toggle, clear }), [ids, toggle, clear]);
}
