import { type HouseReport, partitionWidthMs, type RetentionStore } from '#engine/retention-store.ts';
import type { Connection, Statement } from './connect.ts';

const MAKE_PARTITIONS: Statement = {
  name: 'make_partitions',
  text: `select suffix from make_partitions($1 * interval '1 millisecond') suffix`,
};

const DROP_EXPIRED: Statement = {
  name: 'drop_expired_partition',
  text: `select dropped, kept_because from drop_expired_partition($1 * interval '1 millisecond')`,
};

const DELETE_EXPIRED: Statement = {
  name: 'delete_expired',
  text: `select delete_expired($1 * interval '1 millisecond', $2) as rows`,
};

/** See docs/decisions/0016-sealed-ranges.md. */
const SEAL_RANGES: Statement = { name: 'seal_ranges', text: 'select seal_ranges($1) as sealed' };

/** Small enough not to hold anybody up. */
const ROWS_AT_ONCE = 2_000;

export function retentionStore(connection: Connection): RetentionStore {
  return {
    async keepHouse({ keepMs }) {
      const made = (await connection.run<{ suffix: string }>(MAKE_PARTITIONS, [partitionWidthMs(keepMs)])).map(({ suffix }) => suffix);
      return { made, ...(keepMs === undefined ? NOTHING_DROPPED : await dropExpired(connection, keepMs)) };
    },
    async sealRanges({ most }) {
      const [row] = await connection.run<{ sealed: number }>(SEAL_RANGES, [most]);
      return row?.sealed ?? 0;
    },
  };
}

const NOTHING_DROPPED: Omit<HouseReport, 'made'> = { dropped: [], keptBecause: undefined, deletedRows: 0, hasMore: false };

async function dropExpired(connection: Connection, keepMs: number): Promise<Omit<HouseReport, 'made'>> {
  const [drop] = await connection.run<{ dropped: string | null; kept_because: string | null }>(DROP_EXPIRED, [keepMs]);
  const [deletion] = await connection.run<{ rows: number }>(DELETE_EXPIRED, [keepMs, ROWS_AT_ONCE]);
  const dropped = drop?.dropped ? [drop.dropped] : [];
  const deletedRows = deletion?.rows ?? 0;
  return { dropped, keptBecause: drop?.kept_because ?? undefined, deletedRows, hasMore: dropped.length > 0 || deletedRows >= ROWS_AT_ONCE };
}
