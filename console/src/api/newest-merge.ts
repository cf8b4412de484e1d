/** How a list that is shown newest first takes up further pages. Pure. */

export interface KeptEntry {
  /** A UUID of version 7: the order of ids is that of time. */
  id: string;
}

export interface NewestPage<Entry> {
  entries: readonly Entry[];
  has_more: boolean;
  next_cursor?: string | undefined;
  missing_warehouses?: readonly string[] | undefined;
}

/** What is known of the list: without a gap from its newest entry to `cursor`, behind which the older ones are. */
export interface Kept<Entry> {
  entries: readonly Entry[];
  cursor: string | undefined;
  missing: readonly string[];
}

/** The newest page once more: its entries are as they are now; those before them stay. */
export function merge<Entry extends KeptEntry>(kept: Kept<Entry> | undefined, page: NewestPage<Entry>): Kept<Entry> {
  const missing = page.missing_warehouses ?? [];
  const last = page.entries.at(-1);
  const whole = { entries: page.entries, cursor: page.next_cursor, missing };
  if (!kept || !last || !page.has_more) return whole;
  // More came than a page holds: what is between is not known.
  const touches = (kept.entries[0]?.id ?? '') >= last.id;
  if (!touches) return whole;
  const before = kept.entries.filter(({ id }) => id < last.id);
  if (before.length === 0) return whole;
  return { entries: [...page.entries, ...before], cursor: kept.cursor, missing };
}

/** A page of older entries. */
export function append<Entry extends KeptEntry>(kept: Kept<Entry> | undefined, page: NewestPage<Entry>): Kept<Entry> {
  const oldest = kept?.entries.at(-1)?.id;
  const further = page.entries.filter(({ id }) => oldest === undefined || id < oldest);
  return { entries: [...(kept?.entries ?? []), ...further], cursor: page.next_cursor, missing: kept?.missing ?? [] };
}
