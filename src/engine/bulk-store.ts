import type { Json } from '#domain/json.ts';
import type { EpochMs } from '#domain/time.ts';
import type { Author } from './store.ts';

/**
 * Operations on all orders that match. Each warehouse keeps its own part of one, under the same id: what is to be done there, how far it
 * is, and whether it is to go on. A part is carried on from where it stands, by whoever has the warehouse's lease for it.
 */
export interface BulkStore {
  /** Writes a part down, with an entry of this id in the audit; one that is there already stays as it is. */
  begin(part: NewBulkPart, auditId: string): Promise<void>;
  /** The parts that this warehouse has of these operations. */
  find(bulkIds: string[]): Promise<BulkPart[]>;
  /** Newest first; `beforeId` is exclusive. */
  list(page: { limit: number; beforeId?: string }): Promise<BulkPart[]>;
  listRunning(): Promise<BulkPart[]>;
  /**
   * Writes down what was done since `from`, also of a part that was stopped meanwhile; answers how it is now. One that is done with it
   * is told of in the audit, with its counts. `undefined`: somebody else went on from there, and what was done is counted by them.
   */
  advance(bulkId: string, progress: BulkProgress): Promise<BulkPart | undefined>;
  /**
   * Nothing more is done of it. A part that had ended keeps the name of whoever stopped it, for parts that could not be told.
   * @param auditId of the entry in the audit; absent where another warehouse has it
   */
  stop(bulkId: string, author: Author, auditId?: string): Promise<void>;
}

export type BulkAction = 'cancel' | 'retry';

export interface NewBulkPart {
  /** A UUID of version 7. */
  bulkId: string;
  action: BulkAction;
  /** As it was asked. */
  filter: Json;
  /** The names of all warehouses that it concerns. */
  warehouses: string[];
  /** Orders per second, in all warehouses together. */
  pace: number;
  /** Of the pace, what this warehouse has: above 0, at most 1. */
  share: number;
  actor: string;
  reason: string | undefined;
  /** Orders that matched before it began. */
  matching: number;
  /** There were more: counting ended. */
  isMore: boolean;
}

export interface BulkPart extends NewBulkPart {
  /** By the database's clock. Orders that were accepted later are left alone. */
  startedAt: EpochMs;
  state: 'running' | 'stopped' | 'done';
  endedAt: EpochMs | null;
  stoppedBy: string | null;
  /** Every order that matches was seen to, from the newest down to this one; null: none yet. */
  beforeId: string | null;
  /** Orders below that which may have been seen to since it was written down. */
  batch: string[];
  counts: BulkCounts;
}

export interface BulkCounts {
  succeeded: number;
  /** Orders whose state did not allow it any more. */
  refused: number;
  failed: number;
}

export interface BulkProgress {
  /** `beforeId` as the writer knows it. */
  from: string | null;
  to: string | null;
  /** To be added. */
  counts: BulkCounts;
  /** What comes next. */
  batch: string[];
  isDone: boolean;
}
