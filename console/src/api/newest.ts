import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { append, type Kept, type KeptEntry, merge, type NewestPage } from './newest-merge.ts';

/** Beyond so many nobody reads on; the list rests until one goes back to the newest. */
const MAX_KEPT = 2_000;

export interface NewestOptions<Entry extends KeptEntry> {
  key: readonly string[];
  /** One page: the newest entries, or those behind a cursor. */
  read: (cursor: string | undefined, signal?: AbortSignal) => Promise<NewestPage<Entry>>;
  everyMs: number;
}

/**
 * A list, newest first, that grows at its top: the first page is asked for again and again, older ones by hand. What is under the
 * pointer or has the focus does not move: newer entries are counted and wait until it is let go.
 */
export function useNewest<Entry extends KeptEntry>({ key, read, everyMs }: NewestOptions<Entry>) {
  const client = useQueryClient();
  const query = useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => {
      const page = await read(undefined, signal);
      return merge(client.getQueryData<Kept<Entry>>(key), page);
    },
    refetchInterval: ({ state }) => (state.data?.entries.length ?? 0) < MAX_KEPT && everyMs,
  });
  const older = useMutation({
    mutationFn: (cursor: string) => read(cursor),
    onSuccess: (page) => client.setQueryData<Kept<Entry>>(key, (kept) => append(kept, page)),
  });
  const all = query.data?.entries;
  const hold = useHold(all?.[0]?.id);
  const shown = useMemo(() => all?.filter(({ id }) => hold.upTo === undefined || id <= hold.upTo), [all, hold.upTo]);
  const cursor = query.data?.cursor;
  return {
    /** `undefined` until the first answer. */
    entries: shown,
    newerCount: (all?.length ?? 0) - (shown?.length ?? 0),
    showNewer: hold.letGo,
    /** For the element around the list. */
    holdRef: hold.ref,
    error: query.error,
    retry: () => void query.refetch(),
    missing: query.data?.missing ?? [],
    loadOlder: cursor === undefined ? undefined : () => older.mutate(cursor),
    isLoadingOlder: older.isPending,
    olderError: older.error,
    isFull: (all?.length ?? 0) >= MAX_KEPT,
    restart: () => void client.resetQueries({ queryKey: key }),
  };
}

/** While the pointer is over the list or the focus in it, it ends at what was newest then. */
function useHold(newestId: string | undefined) {
  const [isOver, setOver] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const [upTo, setUpTo] = useState<string>();
  const isHeld = isOver || isFocused;
  if (isHeld && upTo === undefined && newestId !== undefined) setUpTo(newestId);
  if (!isHeld && upTo !== undefined) setUpTo(undefined);
  // The browser's own events: React's are lost where the pointer comes from a button that was just disabled.
  const ref = useCallback((element: HTMLElement | null) => {
    if (!element) return undefined;
    const following = new AbortController();
    const { signal } = following;
    element.addEventListener('pointerenter', () => setOver(true), { signal });
    element.addEventListener('pointerleave', () => setOver(false), { signal });
    element.addEventListener('focusin', () => setFocused(true), { signal });
    element.addEventListener('focusout', ({ relatedTarget }) => setFocused(element.contains(relatedTarget as Node | null)), { signal });
    return () => {
      following.abort();
      setOver(false);
      setFocused(false);
    };
  }, []);
  return { upTo, ref, letGo: () => setUpTo(newestId) };
}
