import pg from 'pg';
import { expect, it } from 'vitest';
import { DIRECTIONS, EVENT_KINDS, ORDER_STATES, positionAfter } from '#domain/order-state.ts';
import { createTestDatabase } from '#test/database.ts';

it('I9, I11: SQL and the table of transitions know the same kinds and states, and agree where an order stands', async () => {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows } = await client.query<{ kind: string; direction: string; step: number; next_step: number; next_direction: string }>(`
      select kind::text, direction::text, step, step_after(kind, step) as next_step, direction_after(kind, direction)::text as next_direction
        from unnest(enum_range(null::event_kind)) as kind, unnest(enum_range(null::order_direction)) as direction,
             unnest('{1,2,7}'::smallint[]) as step`);
    const expected = EVENT_KINDS.flatMap((kind) =>
      DIRECTIONS.flatMap((direction) =>
        [1, 2, 7].flatMap((step) => {
          // A step is never undone forward nor completed backward: there the two need not agree.
          const next = positionAfter(kind, { step, direction });
          const meets = (kind !== 'step_undone' || direction === 'rollback') && (kind !== 'step_completed' || direction === 'forward');
          return meets ? [{ kind, direction, step, next_step: next.step, next_direction: next.direction }] : [];
        }),
      ),
    );
    const byText = (values: object[]): string[] => values.map((value) => JSON.stringify(value)).sort();
    const met = rows.filter(
      ({ kind, direction }) =>
        !(kind === 'step_undone' && direction === 'forward') && !(kind === 'step_completed' && direction === 'rollback'),
    );
    expect(byText(met)).toEqual(byText(expected));
    const states = await client.query<{ state: string }>('select unnest(enum_range(null::order_state))::text as state');
    expect(states.rows.map(({ state }) => state)).toEqual([...ORDER_STATES]);
  } finally {
    await client.end();
    await database.drop();
  }
});
