import type { OrderContent, OrderEvent, SessionName } from '#domain/order.ts';
import { comparePlaces, OUTBOX_BEGIN, type OutboxEvent, type OutboxPage, type OutboxPlace, type OutboxStore } from '#engine/outbox.ts';
import type { Connection, Statement } from './connect.ts';
import type { SessionNames } from './session-names.ts';
import type { WorkflowIds } from './workflow-ids.ts';

const READ_OUTBOX: Statement = {
  name: 'read_outbox',
  text: `select upper::text as upper, upper >= clock_timestamp() - interval '1 second' as is_now, events
           from read_outbox($1, $2, $3, $4 * interval '1 millisecond', $5)`,
};

/** The same bound that a page has, of an empty page. */
const READ_NOW: Statement = {
  name: 'read_outbox_now',
  text: `select upper::text as at from read_outbox(clock_timestamp(), '00000000-0000-0000-0000-000000000000', 0, interval '0', 0)`,
};

/**
 * A little before the first event of all: a reader that begins must not step through the years before it. The first order by its
 * id is the first by a gateway's clock.
 */
const READ_FIRST: Statement = {
  name: 'read_first_event',
  text: `
    select (coalesce((select accepted_at from orders order by order_id limit 1), clock_timestamp()) - interval '1 minute')::text as at`,
};

const READ_PLACE: Statement = {
  name: 'read_outbox_place',
  text: 'select at::text as at, order_id, version from outbox_cursors where name = $1',
};

const SAVE_PLACE: Statement = {
  name: 'save_outbox_place',
  text: `
    insert into outbox_cursors as c (name, at, order_id, version)
    select $1, $2, $3, $4 from cluster_leases l where l.name = $5 and l.holder = $6 and l.lease_until > clock_timestamp()
    on conflict (name) do update set at = excluded.at, order_id = excluded.order_id, version = excluded.version, saved_at = clock_timestamp()
    returning name`,
};

const READ_LAG: Statement = {
  name: 'read_outbox_lag',
  text: `
    select (extract(epoch from clock_timestamp() - at) * 1000)::float8 as lag_ms,
           exists (select from order_events e where e.at >= c.at and (e.at, e.order_id, e.version) > (c.at, c.order_id, c.version))
             or exists (select from order_journal j where j.at > c.at)
             or exists (select from orders o where o.accepted_at >= c.at and (o.accepted_at, o.order_id, 1) > (c.at, c.order_id, c.version))
             as has_more
      from outbox_cursors c where name = $1`,
};

type Tuple = [
  orderId: string,
  version: number,
  kind: OrderEvent['kind'],
  step: number,
  direction: OrderEvent['direction'],
  sessionId: number | null,
  fence: number,
  at: string,
  data: OrderEvent['data'],
  workflowId: number,
  content: OrderContent,
  customerId: string,
];

export function outboxStore(connection: Connection, workflowIds: WorkflowIds, sessionNames: SessionNames): OutboxStore {
  return {
    async readOutbox(after, { limit, spanMs }) {
      const values = [after.at, after.orderId, after.version, spanMs, limit];
      const [row] = await connection.run<{ upper: string; is_now: boolean; events: Tuple[] | null }>(READ_OUTBOX, values);
      const { upper, is_now, events } = row as NonNullable<typeof row>;
      const tuples = events ?? [];
      await workflowIds.learn(tuples.map(([, , , , , , , , , workflowId]) => workflowId));
      const names = await sessionNames.of(tuples.map(([, , , , , sessionId]) => sessionId));
      const told = tuples.map((tuple) => eventOf(tuple, workflowIds, names));
      return pageOf(told, { after, upper, isFull: tuples.length >= limit, isNow: is_now });
    },
    async readNow() {
      const [row] = await connection.run<{ at: string }>(READ_NOW, []);
      return { ...OUTBOX_BEGIN, at: (row as { at: string }).at };
    },
    async readPlace(name) {
      const [row] = await connection.run<{ at: string; order_id: string; version: number }>(READ_PLACE, [name]);
      if (row) return { at: row.at, orderId: row.order_id, version: row.version };
      const [first] = await connection.run<{ at: string }>(READ_FIRST, []);
      return { ...OUTBOX_BEGIN, at: (first as { at: string }).at };
    },
    async savePlace(name, { at, orderId, version }, lease) {
      return (await connection.run(SAVE_PLACE, [name, at, orderId, version, lease.name, lease.holder])).length > 0;
    },
    async readLag(name) {
      const [row] = await connection.run<{ lag_ms: number; has_more: boolean }>(READ_LAG, [name]);
      return row && (row.has_more ? Math.max(0, Math.round(row.lag_ms)) : 0);
    },
  };
}

function eventOf(tuple: Tuple, workflowIds: WorkflowIds, names: ReadonlyMap<number, SessionName>): OutboxEvent {
  const [orderId, version, kind, step, direction, sessionId, fence, at, data, workflowId, content, customerId] = tuple;
  return {
    event: { orderId, version, kind, step, direction, sessionId, fence, at: Date.parse(at), data },
    content,
    customerId,
    stepName: workflowIds.stepNamesOf(workflowId)[step - 1] ?? `Step ${step}`,
    nodeId: sessionId === null ? undefined : names.get(sessionId)?.nodeId,
    place: { at, orderId, version },
  };
}

function pageOf(
  events: OutboxEvent[],
  { after, upper, isFull, isNow }: { after: OutboxPlace; upper: string; isFull: boolean; isNow: boolean },
): OutboxPage {
  const last = events.at(-1);
  if (isFull && last) return { events, next: last.place, isCaughtUp: false };
  // Everything below the bound was seen: the next look begins there. An open transaction may keep it where it is.
  const bound = { ...OUTBOX_BEGIN, at: upper };
  return { events, next: comparePlaces(bound, after) > 0 ? bound : after, isCaughtUp: isNow };
}
