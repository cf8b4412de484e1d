import { OUTBOX_BEGIN, type OutboxPlace, type OutboxStore } from '#engine/outbox.ts';
import { copyOf, type MemoryDatabase, workflowKey } from './database.ts';

/** A place is the number of events before it, written as a version: nothing is written here in another order than it is seen. */
export function outboxStore(db: MemoryDatabase): OutboxStore {
  return {
    async readOutbox(after, { limit }) {
      const from = after.version;
      const events = db.outbox.slice(from, from + limit).map((event, index) => {
        const row = db.orders.get(event.orderId);
        const names = row ? db.workflows.get(workflowKey(row.workflow, row.workflowVersion))?.stepNames : undefined;
        return {
          event: copyOf(event),
          content: copyOf(row?.content ?? {}),
          customerId: row?.customerId ?? '',
          stepName: names?.[event.step - 1] ?? `Step ${event.step}`,
          nodeId: event.sessionId === null ? undefined : db.sessions.get(event.sessionId)?.node.nodeId,
          place: { ...OUTBOX_BEGIN, version: from + index + 1 },
        };
      });
      const next = { ...OUTBOX_BEGIN, version: from + events.length };
      return { events, next, isCaughtUp: next.version === db.outbox.length };
    },
    readNow: async () => ({ ...OUTBOX_BEGIN, version: db.outbox.length }),
    readPlace: async (name) => db.places.get(name) ?? OUTBOX_BEGIN,
    async savePlace(name, place, lease) {
      const held = db.leases.get(lease.name);
      if (held?.holder !== lease.holder || held.until <= db.clock.now()) return false;
      db.places.set(name, { ...place });
      return true;
    },
    async readLag(name) {
      const place = db.places.get(name);
      return place && lagOf(db, place);
    },
  };
}

function lagOf(db: MemoryDatabase, { version }: OutboxPlace): number {
  const oldest = db.outbox[version];
  return oldest ? Math.max(1, db.clock.now() - oldest.at) : 0;
}
