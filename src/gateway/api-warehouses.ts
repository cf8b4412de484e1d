import { type Static, Type } from 'typebox';
import { aboutPage, pageQuery, Time } from './api.ts';

/** The wire of what concerns warehouses as a whole, as schemas. */

const health = {
  name: Type.String(),
  status: Type.String({
    description: 'OK; no_nodes: nothing works its orders; disabled: by hand; unavailable: its database does not answer',
  }),
  because: Type.Optional(Type.String({ description: 'what is wrong, where it is not OK' })),
  away_since: Type.Optional(Time),
  orders: Type.Optional(Type.Object({ queued: Type.Integer(), running: Type.Integer() })),
  nodes: Type.Optional(Type.Integer()),
  slots: Type.Optional(Type.Integer()),
  busy: Type.Optional(Type.Integer()),
};

export const WarehouseHealth = Type.Object(health);

export const HealthView = Type.Object({
  status: Type.String({ description: 'OK, degraded, or unavailable: no warehouse can accept' }),
  orders: Type.Object({ queued: Type.Integer(), running: Type.Integer() }, { description: 'of all warehouses that answer' }),
  warehouses: Type.Array(WarehouseHealth),
  generated_at: Time,
});

export const WarehouseView = Type.Object({
  ...health,
  region: Type.String({ description: 'whose orders it takes first' }),
  fallback: Type.Array(Type.String(), { description: 'the configured ones, in their order' }),
  workflow: Type.String({ description: 'that its new orders begin with' }),
  load: Type.Optional(Type.Number({ description: 'orders that wait or run, for each live slot' })),
  disabled: Type.Optional(Type.Object({ by: Type.String(), at: Time, reason: Type.Optional(Type.String()) })),
  gate: Type.Optional(
    Type.Object({
      open: Type.Boolean({ description: 'shut after an outage, until the keys of orders that waited were compared' }),
      compared: Type.Array(Type.String()),
    }),
  ),
  open_conflicts: Type.Optional(Type.Integer({ description: 'that a person has to look at; GET /conflicts lists them' })),
});

export const WarehouseList = Type.Object({ warehouses: Type.Array(WarehouseView), generated_at: Time });

export const WarehouseParams = Type.Object({ name: Type.String() });

export const ConflictQuery = Type.Object(
  {
    all: Type.Optional(Type.String({ pattern: '^(true|false)$', description: 'true: resolved ones too' })),
    ...pageQuery,
  },
  { additionalProperties: false },
);

export const ConflictView = Type.Object({
  id: Type.String(),
  found_at: Time,
  kind: Type.String({ description: 'both_processed, other_body or not_compared' }),
  warehouse: Type.String(),
  customer_id: Type.String(),
  key: Type.Optional(Type.Object({ kind: Type.String(), key: Type.String() })),
  order_id: Type.String(),
  other_order_id: Type.Optional(Type.String()),
  missing: Type.Optional(Type.Array(Type.String(), { description: 'warehouses that could not be asked' })),
  resolved_at: Type.Optional(Time),
  resolved_by: Type.Optional(Type.String()),
  resolution: Type.Optional(Type.String()),
});

export const ConflictPage = Type.Object({
  conflicts: Type.Array(ConflictView),
  ...aboutPage,
});

export type WarehouseHealthJson = Static<typeof WarehouseHealth>;
export type WarehouseJson = Static<typeof WarehouseView>;
export type WarehouseListJson = Static<typeof WarehouseList>;
export type ConflictPageJson = Static<typeof ConflictPage>;
export type ConflictJson = Static<typeof ConflictView>;
