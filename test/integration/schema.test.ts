import { readFile } from 'node:fs/promises';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { DIRECTIONS, EVENT_KINDS, ORDER_STATES, TRANSITIONS } from '#domain/order-state.ts';
import { silentLog } from '#engine/log.ts';
import { migrate } from '#store/postgres/migrate.ts';
import { createEmptyDatabase, createTestDatabase } from '#test/database.ts';
import { dumpSchema } from '#test/schema-dump.ts';

describe('the schema', () => {
  it('is the one that sql/schema.sql shows (npm run schema writes it)', async () => {
    const database = await createTestDatabase();
    try {
      expect(await dumpSchema(database.url)).toBe(await readFile('sql/schema.sql', 'utf8'));
    } finally {
      await database.drop();
    }
  });

  it('is made once when twenty processes migrate at the same time', async () => {
    const database = await createEmptyDatabase();
    try {
      const results = await Promise.all(Array.from({ length: 20 }, () => migrate(database.url, 'HN', silentLog)));
      expect(results.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
      await expect(migrate(database.url, 'DN', silentLog)).rejects.toThrow('belongs to warehouse HN');
    } finally {
      await database.drop();
    }
  });

  it('refuses a migration that was changed after it was applied, and a newer schema', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(`update migration_checksums set checksum = 'other'`);
      await expect(migrate(database.url, 'HCM', silentLog)).rejects.toThrow('differs from what was applied');
      await client.query(`insert into migration_checksums values ('9999_future', 'x')`);
      await expect(migrate(database.url, 'HCM', silentLog)).rejects.toThrow('newer Conveyor');
    } finally {
      await client.end();
      await database.drop();
    }
  });

  it('knows the states, directions and transitions of src/domain/order-state.ts', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      const labels = async (type: string): Promise<string[]> => {
        const { rows } = await client.query<{ label: string }>(`select unnest(enum_range(null::${type}))::text as label`);
        return rows.map((row) => row.label);
      };
      expect(await labels('order_state')).toEqual([...ORDER_STATES]);
      expect(await labels('order_direction')).toEqual([...DIRECTIONS]);
      expect(await labels('event_kind')).toEqual([...EVENT_KINDS]);
      for (const kind of EVENT_KINDS) {
        for (const direction of DIRECTIONS) {
          const { rows } = await client.query('select step_after($1, 3::smallint)::int as step, direction_after($1, $2) as direction', [
            kind,
            direction,
          ]);
          const { direction: expectedFrom, next } = TRANSITIONS[kind];
          if (expectedFrom === undefined || expectedFrom === direction) expect(rows[0], kind).toEqual(next({ step: 3, direction }));
        }
      }
    } finally {
      await client.end();
      await database.drop();
    }
  });
});
