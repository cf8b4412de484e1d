import type { Json } from '#domain/json.ts';
import type { OrderStatus } from '#domain/order-state.ts';
import type { EpochMs } from '#domain/time.ts';
import type { Author, CancelRequest, ClusterReport, EndedSession, NodeWish } from './store.ts';

/** What operators see and do. Everything that is done by hand is recorded in the same transaction. */
export interface OperationStore {
  /** Who leads, and every session that matters: all that are not dead, and the latest of each node that died lately. */
  readCluster(): Promise<ClusterReport>;
  /** Asks the node to drain, to stop, or (`undefined`) to go on. Answers the sessions that were asked. */
  steerNode(nodeId: string, wish: NodeWish | undefined, author: Author): Promise<number[]>;
  /** Ends the node's sessions, whether it lives or not, and gives their orders back to the queue. */
  transferNode(nodeId: string, author: Author): Promise<TransferVerdict>;
  /** A new order with the content of one that failed or was cancelled; at most one for each. */
  retryOrder(request: RetryRequest): Promise<RetryVerdict>;
  /** Gives an order that stopped for a person back to the queue, where it stood. */
  releaseOrder(orderId: string, author: Author): Promise<ReleaseVerdict>;
  /** Writes down what was done by hand elsewhere than here. What concerns all warehouses has the same `id` in each (a UUIDv7). */
  recordIntervention(action: string, target: string, author: Author, id?: string): Promise<void>;
  /** Newest first; `beforeId` is exclusive. */
  listInterventions(page: { limit: number; beforeId?: string }): Promise<Intervention[]>;
}

export type TransferVerdict = { outcome: 'transferred'; sessions: EndedSession[] } | { outcome: 'unknown' };

export interface RetryRequest extends CancelRequest {
  newOrderId: string;
  workflow: string;
  workflowVersion: number;
}

export type RetryVerdict =
  | { outcome: 'created' | 'existing'; orderId: string }
  | { outcome: 'refused'; status: OrderStatus }
  | { outcome: 'unknown' };

export type ReleaseVerdict = { outcome: 'released' } | { outcome: 'refused'; status: OrderStatus } | { outcome: 'unknown' };

export interface Intervention {
  id: string;
  at: EpochMs;
  actor: string;
  /** Such as `order.cancel`, `node.drain`; docs/operations.md lists them. */
  action: string;
  /** The id of the order or node, or the name of what else was changed. */
  target: string;
  reason: string | null;
  detail: Json;
}
