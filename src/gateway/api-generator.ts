import { type Static, Type } from 'typebox';
import { DEFAULT_PACE_MS, PACE_RANGE } from '#domain/generator-pace.ts';
import { formatDuration } from '#domain/time.ts';
import { Time } from './api.ts';

/** The wire of the order generator, as schemas. */

export const GeneratorStart = Type.Object(
  {
    every: Type.Optional(
      Type.String({ maxLength: 20, description: `a duration ${PACE_RANGE}, such as 2s; default ${formatDuration(DEFAULT_PACE_MS)}` }),
    ),
  },
  { additionalProperties: false },
);

export const GeneratorView = Type.Object({
  running: Type.Boolean(),
  every: Type.Optional(Type.String()),
  started_at: Type.Optional(Time),
  changed_by: Type.Optional(Type.String()),
  holder: Type.Optional(Type.String({ description: 'the service_id of the gateway that places the orders' })),
  placed: Type.Optional(Type.Integer({ description: 'orders since it was started' })),
  last_order_id: Type.Optional(Type.String()),
  last_at: Type.Optional(Time),
  next_at: Type.Optional(Time),
});

export type GeneratorJson = Static<typeof GeneratorView>;
