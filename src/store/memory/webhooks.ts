import { randomUUID } from 'node:crypto';
import type { Delivery, NewDelivery, WebhookStore } from '#engine/webhook-store.ts';
import { copyOf, type MemoryDatabase } from './database.ts';

export function webhookStore(db: MemoryDatabase): WebhookStore {
  const isFirst = (delivery: Delivery): boolean =>
    !db.deliveries.some((other) => isSameOrder(other, delivery) && other.version < delivery.version && other.state === 'waiting');
  return {
    list: async () => copyOf([...db.webhooks.values()].sort((a, b) => (a.id < b.id ? -1 : 1))),
    async plan(deliveries) {
      for (const one of deliveries) {
        const isKnown = db.deliveries.some(
          (other) => other.webhookId === one.webhookId && other.orderId === one.orderId && other.version === one.version,
        );
        if (isKnown) continue;
        const before = db.deliveries.filter((other) => isSameOrder(other, one) && other.state === 'waiting').map(({ nextAt }) => nextAt);
        const fresh = newDelivery(db, one);
        db.deliveries.push({ ...fresh, nextAt: before.length > 0 ? Math.max(...before) : fresh.nextAt });
      }
    },
    async takeDue(free, holdMs) {
      const now = db.clock.now();
      const due = free.flatMap(({ webhookId, free: count }) =>
        db.deliveries
          .filter((one) => one.webhookId === webhookId && one.state === 'waiting' && one.nextAt <= now && isFirst(one))
          .sort((a, b) => a.nextAt - b.nextAt)
          .slice(0, count),
      );
      for (const one of due) one.nextAt = now + holdMs;
      return copyOf(due);
    },
    async finish(deliveryId, { state, status, error, delayMs }) {
      const found = db.deliveries.find(({ id }) => id === deliveryId);
      const now = db.clock.now();
      if (!found) return;
      for (const later of db.deliveries)
        if (isSameOrder(later, found) && later.version > found.version && later.state === 'waiting') later.nextAt = now + delayMs;
      Object.assign(found, {
        state,
        attempts: found.attempts + 1,
        lastAt: now,
        lastStatus: status,
        lastError: error,
        nextAt: now + delayMs,
      });
    },
    resume: async (webhookId) => resume(db, webhookId),
    hasDelivered: async (webhookId, since) =>
      db.deliveries.some((one) => one.webhookId === webhookId && one.state === 'delivered' && (one.lastAt ?? 0) >= since),
    async listDeliveries({ webhookId, limit, beforeId }) {
      const rows = db.deliveries.filter((one) => one.webhookId === webhookId && (beforeId === undefined || one.id < beforeId));
      return copyOf(rows.sort((a, b) => (a.id < b.id ? 1 : -1)).slice(0, limit));
    },
    async redeliver(deliveryId, webhookIds) {
      const found = db.deliveries.find(({ id, webhookId }) => id === deliveryId && webhookIds.includes(webhookId));
      if (found) Object.assign(found, anew(db.clock.now()));
      return found && copyOf(found);
    },
  };
}

function resume(db: MemoryDatabase, webhookId: string): void {
  const now = db.clock.now();
  for (const one of db.deliveries)
    if (one.webhookId === webhookId && (one.state === 'given_up' || (one.state === 'waiting' && one.attempts > 0)))
      Object.assign(one, anew(now));
}

function isSameOrder(one: NewDelivery, other: NewDelivery): boolean {
  return one.webhookId === other.webhookId && one.orderId === other.orderId;
}

function anew(now: number): Pick<Delivery, 'state' | 'attempts' | 'since' | 'nextAt'> {
  return { state: 'waiting', attempts: 0, since: now, nextAt: now };
}

function newDelivery(db: MemoryDatabase, one: Pick<Delivery, 'webhookId' | 'orderId' | 'version' | 'body'>): Delivery {
  const now = db.clock.now();
  // Ids that grow with time, as PostgreSQL's do.
  const id = `${String(db.deliveries.length + 1).padStart(8, '0')}${randomUUID().slice(8)}`;
  const fresh = {
    id,
    state: 'waiting',
    attempts: 0,
    createdAt: now,
    since: now,
    nextAt: now,
    lastAt: null,
    lastStatus: null,
    lastError: null,
  } as const;
  return { ...copyOf(one), ...fresh };
}
