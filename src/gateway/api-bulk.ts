import { type Static, Type } from 'typebox';
import type { BulkAction } from '#engine/bulk-store.ts';
import { aboutPage, OrderSummary, orderCriteria, pageQuery, Time } from './api.ts';

/** The wire of operations on all orders that match. */

export const MAX_PACE = 1_000;
export const DEFAULT_PACE = 50;
/** In each warehouse: what matches is counted up to here before anything is done. */
export const COUNTED_AT_MOST = 10_000;

const Action = Type.Unsafe<BulkAction>({ type: 'string', enum: ['cancel', 'retry'] });
const State = Type.Unsafe<'running' | 'stopped' | 'done'>({ type: 'string', enum: ['running', 'stopped', 'done'] });

const BulkFilter = Type.Object(orderCriteria, {
  additionalProperties: false,
  description: 'as GET /orders has it, at least one; without `status`: every one that the action is possible in',
});

export const BulkBody = Type.Object(
  {
    action: Action,
    filter: BulkFilter,
    dry_run: Type.Optional(Type.Boolean({ description: 'only count, and show some' })),
    pace: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PACE, description: `orders per second, default ${DEFAULT_PACE}` })),
    reason: Type.Optional(Type.String({ maxLength: 500 })),
  },
  { additionalProperties: false },
);

const matching = {
  matching: Type.Integer({ description: 'orders that matched before it began' }),
  matching_is_lower_bound: Type.Boolean({ description: 'there were more: counting ended' }),
};

const progress = {
  state: State,
  ...matching,
  done: Type.Integer({ description: 'orders that were seen to: the three that follow together' }),
  succeeded: Type.Integer(),
  refused: Type.Integer({ description: 'their state did not allow it any more' }),
  failed: Type.Integer({ description: 'the log has the reasons' }),
};

const missing = { missing_warehouses: aboutPage.missing_warehouses };

export const BulkPreview = Type.Object({
  action: Action,
  filter: BulkFilter,
  ...matching,
  counted_at_most: Type.Integer({ description: 'in each warehouse' }),
  sample: Type.Array(OrderSummary),
  ...missing,
});

export const BulkView = Type.Object({
  bulk_id: Type.String(),
  action: Action,
  filter: BulkFilter,
  pace: Type.Integer({ description: 'orders per second, in all warehouses together' }),
  by: Type.String(),
  reason: Type.Optional(Type.String()),
  started_at: Time,
  ended_at: Type.Optional(Time),
  stopped_by: Type.Optional(Type.String()),
  ...progress,
  warehouses: Type.Array(Type.Object({ name: Type.String(), ...progress })),
  ...missing,
});

export const BulkQuery = Type.Object(pageQuery, { additionalProperties: false });
export const BulkPage = Type.Object({ operations: Type.Array(BulkView), ...aboutPage });

export type BulkBodyJson = Static<typeof BulkBody>;
export type BulkPreviewJson = Static<typeof BulkPreview>;
export type BulkViewJson = Static<typeof BulkView>;
export type BulkPageJson = Static<typeof BulkPage>;
