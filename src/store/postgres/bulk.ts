import type { Json } from '#domain/json.ts';
import type { EpochMs } from '#domain/time.ts';
import type { BulkAction, BulkPart, BulkStore } from '#engine/bulk-store.ts';
import { arrayOf, type Connection, type Statement, textArrayOf } from './connect.ts';

const COLUMNS = `bulk_id, action, filter, warehouses, pace, share, actor, reason, started_at, matching, is_more, state, ended_at, stopped_by,
       before_id, batch, succeeded, refused, failed`;

/** Nobody asks any more what became of an operation that ended so long ago. */
const KEPT_DAYS = 90;

const BEGIN: Statement = {
  name: 'begin_bulk',
  text: `
    with begun as (
      insert into bulk_operations (bulk_id, action, filter, warehouses, pace, share, actor, reason, matching, is_more)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
      on conflict do nothing
      returning *
    ), old as (
      delete from bulk_operations where ended_at < clock_timestamp() - interval '${KEPT_DAYS} days'
    )
    insert into audit (audit_id, actor, action, target, reason, detail)
    select $11, actor, 'bulk.' || action, bulk_id::text, reason, jsonb_build_object('filter', filter, 'pace', pace) from begun`,
};

const FIND: Statement = { name: 'find_bulk', text: `select ${COLUMNS} from bulk_operations where bulk_id = any ($1::uuid[])` };

const LIST: Statement = {
  name: 'list_bulk',
  text: `select ${COLUMNS} from bulk_operations where $2::uuid is null or bulk_id < $2 order by bulk_id desc limit $1`,
};

const LIST_RUNNING: Statement = {
  name: 'list_running_bulk',
  text: `select ${COLUMNS} from bulk_operations where state = 'running' order by bulk_id`,
};

const ADVANCE: Statement = {
  name: 'advance_bulk',
  text: `
    with advanced as (
      update bulk_operations
         set before_id = $3, batch = case when state = 'running' then $4::uuid[] else '{}' end,
             succeeded = succeeded + $5, refused = refused + $6, failed = failed + $7,
             ended_at = case when state = 'running' and $8 then clock_timestamp() else ended_at end,
             state = case when state = 'running' and $8 then 'done' else state end
       where bulk_id = $1 and before_id is not distinct from $2::uuid
      returning *, old.state as state_before
    ), told as (
      insert into audit (actor, action, target, reason, detail)
      select actor, 'bulk.done', bulk_id::text, reason, jsonb_build_object('succeeded', succeeded, 'refused', refused, 'failed', failed)
        from advanced where state = 'done' and state_before = 'running'
    )
    select ${COLUMNS} from advanced`,
};

const STOP: Statement = {
  name: 'stop_bulk',
  text: `
    with stopped as (
      update bulk_operations
         set stopped_by = $2, state = case when state = 'running' then 'stopped' else state end, ended_at = coalesce(ended_at, clock_timestamp())
       where bulk_id = $1 and stopped_by is null
      returning bulk_id, old.state as state_before
    )
    insert into audit (audit_id, actor, action, target, reason)
    select $4, $2, 'bulk.stop', bulk_id::text, $3 from stopped where state_before = 'running' and $4::uuid is not null`,
};

interface BulkRow {
  bulk_id: string;
  action: BulkAction;
  filter: Json;
  warehouses: string[];
  pace: number;
  share: number;
  actor: string;
  reason: string | null;
  started_at: EpochMs;
  matching: number;
  is_more: boolean;
  state: BulkPart['state'];
  ended_at: EpochMs | null;
  stopped_by: string | null;
  before_id: string | null;
  batch: string[];
  succeeded: number;
  refused: number;
  failed: number;
}

export function bulkStore(connection: Connection): BulkStore {
  return {
    async begin({ bulkId, action, filter, warehouses, pace, share, actor, reason, matching, isMore }, auditId) {
      const whatAndWhere = [bulkId, action, JSON.stringify(filter), textArrayOf(warehouses)];
      await connection.run(BEGIN, [...whatAndWhere, pace, share, actor, reason ?? null, matching, isMore, auditId]);
    },
    async find(bulkIds) {
      return (await connection.run<BulkRow>(FIND, [arrayOf(bulkIds)])).map(partOf);
    },
    async list({ limit, beforeId }) {
      return (await connection.run<BulkRow>(LIST, [limit, beforeId ?? null])).map(partOf);
    },
    async listRunning() {
      return (await connection.run<BulkRow>(LIST_RUNNING, [])).map(partOf);
    },
    async advance(bulkId, { from, to, counts, batch, isDone }) {
      const { succeeded, refused, failed } = counts;
      const [row] = await connection.run<BulkRow>(ADVANCE, [bulkId, from, to, arrayOf(batch), succeeded, refused, failed, isDone]);
      return row && partOf(row);
    },
    async stop(bulkId, { actor, reason }, auditId) {
      await connection.run(STOP, [bulkId, actor, reason ?? null, auditId ?? null]);
    },
  };
}

function partOf(row: BulkRow): BulkPart {
  const { succeeded, refused, failed } = row;
  return {
    bulkId: row.bulk_id,
    action: row.action,
    filter: row.filter,
    warehouses: row.warehouses,
    pace: row.pace,
    share: row.share,
    actor: row.actor,
    reason: row.reason ?? undefined,
    startedAt: row.started_at,
    matching: row.matching,
    isMore: row.is_more,
    state: row.state,
    endedAt: row.ended_at,
    stoppedBy: row.stopped_by,
    beforeId: row.before_id,
    batch: row.batch,
    counts: { succeeded, refused, failed },
  };
}
