import type { Hint, Subscription } from '#engine/store.ts';
import type { MemoryDatabase } from './database.ts';
import { liveSessions } from './sessions.ts';

/** As many nodes as the orders need, those with the most free slots first. */
export function wakeNodes(db: MemoryDatabase, orderCount: number): void {
  const free = liveSessions(db)
    .map(({ session, node, busy }) => ({ session, slots: node.slots - busy }))
    .filter(({ slots }) => slots > 0)
    .sort((a, b) => b.slots - a.slots || a.session - b.session);
  let slotsBefore = 0;
  for (const { session, slots } of free) {
    if (slotsBefore >= orderCount) return;
    notify(db, session, 'work');
    slotsBefore += slots;
  }
}

/** Calls back a turn later, as a database would: never inside the call that caused it. */
export function notify(db: MemoryDatabase, session: number, hint: Hint): void {
  for (const onHint of db.listeners.get(session) ?? []) {
    queueMicrotask(() => {
      if (db.listeners.get(session)?.has(onHint)) onHint(hint);
    });
  }
}

/** The first hint comes at once: work may wait that was announced before. */
export function listenForWork(db: MemoryDatabase, session: number, onHint: (hint: Hint) => void): Subscription {
  const listener = (hint: Hint): void => onHint(hint);
  const listeners = db.listeners.get(session) ?? new Set();
  db.listeners.set(session, listeners.add(listener));
  queueMicrotask(() => {
    if (listeners.has(listener)) listener('work');
  });
  return {
    async close() {
      listeners.delete(listener);
      if (listeners.size === 0 && db.listeners.get(session) === listeners) db.listeners.delete(session);
    },
  };
}
