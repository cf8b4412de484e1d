import type { Hint, SessionAttendant, Subscription } from '#engine/store.ts';
import type { MemoryDatabase } from './database.ts';
import { liveSessions } from './sessions.ts';

/** As many nodes as the orders need, those with the most free slots first. */
export function wakeNodes(db: MemoryDatabase, orderCount: number): void {
  const free = liveSessions(db)
    .map(({ session, node, busy }) => ({ session, slots: node.slots - busy }))
    .filter(({ slots }) => slots > 0)
    // Among equals another one each time.
    .map((node) => ({ ...node, turn: db.clock.random() }))
    .sort((a, b) => b.slots - a.slots || a.turn - b.turn);
  let slotsBefore = 0;
  for (const { session, slots } of free) {
    if (slotsBefore >= orderCount) return;
    notify(db, session, 'work');
    slotsBefore += slots;
  }
}

/** Calls back a turn later, as a database would: never inside the call that caused it. */
export function notify(db: MemoryDatabase, session: number, hint: Hint): void {
  for (const attendant of db.attendants.get(session) ?? []) {
    queueMicrotask(() => {
      if (db.attendants.get(session)?.has(attendant)) attendant.onHint(hint);
    });
  }
}

/** The first hint comes at once: work may wait that was announced before. The liveness lock is held until it closes. */
export function attendSession(db: MemoryDatabase, session: number, { onHint, onLiveness }: SessionAttendant): Subscription {
  const attendant = { onHint, onLiveness };
  const attendants = db.attendants.get(session) ?? new Set();
  db.attendants.set(session, attendants.add(attendant));
  queueMicrotask(() => {
    if (!attendants.has(attendant)) return;
    onLiveness('held');
    onHint('work');
  });
  return {
    async close() {
      attendants.delete(attendant);
      if (attendants.size === 0 && db.attendants.get(session) === attendants) db.attendants.delete(session);
    },
  };
}
