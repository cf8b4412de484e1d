import { type Static, Type } from 'typebox';
import type { Direction, EventKind, OrderStatus } from '#domain/order-state.ts';
import { ListQuery } from './api.ts';

/** The wire of the live stream. */

const { status, step, region, warehouse, node, customer_name } = ListQuery.properties;

export const LiveQuery = Type.Object({ status, step, region, warehouse, node, customer_name }, { additionalProperties: false });

export type LiveQueryJson = Static<typeof LiveQuery>;

/** The data of a message `order`. */
export interface LiveEventJson {
  order_id: string;
  warehouse: string;
  version: number;
  kind: EventKind;
  /** The order's, right after the event. */
  status: OrderStatus;
  /** Of the step that the event tells of. */
  step_name: string;
  direction: Direction;
  /** RFC 3339 in UTC with milliseconds. */
  at: string;
  /** Of the node that wrote it. */
  node_id?: string;
  customer_name?: string;
  region?: string;
  symbol?: string;
}

/** The data of a message `gap`: why something was skipped. */
export interface GapJson {
  reason: 'too_old' | 'too_slow' | 'too_many';
}
