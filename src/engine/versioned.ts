/** A record that several warehouses keep, each its own copy: one of them is the newest, and right everywhere. */
export interface Versioned {
  version: number;
  changedAt: number;
  disabled?: boolean;
}

/** Two changes of the same version were made in two places at once: the later one is right, and disabled when in doubt. */
export function isNewer(one: Versioned, other: Versioned): boolean {
  if (one.version !== other.version) return one.version > other.version;
  return one.changedAt === other.changedAt ? one.disabled === true && !other.disabled : one.changedAt > other.changedAt;
}

/** Of copies of one record. */
export function newestOf<Copy extends Versioned>(copies: readonly Copy[]): Copy | undefined {
  return copies.reduce<Copy | undefined>((best, copy) => (best && !isNewer(copy, best) ? best : copy), undefined);
}

/** Keeps those records that are newer than what is known under their key. */
export function keepNewer<Copy extends Versioned>(
  known: Map<string, Copy>,
  records: readonly Copy[],
  keyOf: (record: Copy) => string,
): void {
  for (const record of records) {
    const own = known.get(keyOf(record));
    if (!own || isNewer(record, own)) known.set(keyOf(record), record);
  }
}

/** The newest copy of each record. */
export function newestOfEach<Copy extends Versioned>(copies: readonly Copy[], keyOf: (record: Copy) => string): Copy[] {
  const newest = new Map<string, Copy>();
  keepNewer(newest, copies, keyOf);
  return [...newest.values()];
}
