/**
 * # Leases, fencing, takeover
 *
 * **Locks decide safety; time decides only liveness.** Whether a write of a node counts is decided by rows under row locks
 * in the warehouse's database, never by a clock. Time only makes a node stop early and lets others take over late.
 *
 * - A node's life is a **session**: a row with a number that only grows. Every order it holds carries that number, every
 *   write it makes names it. A session is `live`, `draining` (claims nothing, finishes what runs) or `dead`, and never
 *   comes back: a node that was declared dead begins a new one.
 * - Claims and advances lock their session's row FOR KEY SHARE, ending a session locks it FOR UPDATE. So an end waits for
 *   the writes under way and shuts out all later ones; heartbeats (an ordinary update) wait for neither.
 * - `fence` of an order grows with every claim and every end of an ownership: the token for whatever is outside the
 *   database, because session numbers are not monotonic per order.
 * - The **lease** is per session. A heartbeat extends it by the database's clock. The node itself works only until
 *   `sent + ttl − margin` of its last successful heartbeat, by its own monotonic clock, counted from the moment the
 *   heartbeat was sent: it has stopped before anyone may take over.
 * - Others end a session only when its heartbeat number has not moved for a whole ttl by *their* monotonic clock and the
 *   database says that its lease has run out. A clock that jumps alone ends nobody; after a restart of the database all
 *   watching starts afresh.
 * - A killed process is noticed sooner: its session holds a **liveness lock**, an advisory lock on a connection of its own.
 *   Whoever finds it free waits a short grace and ends the session; the end itself tries the lock once more. A node that loses
 *   that connection while it lives stops its handlers at once, and goes on only when it has the lock again before anyone
 *   ended its session. For a lease's time after a restart of the database, or after own connections broke, nobody acts on
 *   free locks: everybody's are gone then. This shortens the lease, it never replaces it.
 * - The **leader** is one row with holder and term, renewed with the tick and bound to both, and to work done. It alone ends
 *   sessions whose lease ran out. Two leaders for a moment harm nothing: every chore is idempotent and checked under locks.
 * - The answer to a write may be lost. An advance is sent again unchanged and answers `replayed`. A claim is not: the node
 *   asks which orders its session owns and works those it does not know of; so it does when its tick counts more than it has.
 *
 * What each failure does: a killed node's connection ends, its orders go on elsewhere where they stood. A paused node finds
 * its session dead when it wakes: its writes are `fenced`, it drops what it held and begins a new life. A node cut off from
 * the database stops its handlers at its deadline; if it comes back before anyone ended its session, it goes on with the
 * same orders and the same fence.
 *
 * Invariants, checked from the history by history-check.ts and named in the titles of tests:
 * I1 an accepted order exists and ends; I2 one key, one order; I3 at most one session works an order at a time; I4 an
 * order's versions are 1, 2, 3 … without gap; I5 its fence never falls; I6 no event of a session after its end; I7 every
 * step event carries the session and fence of the latest claim; I8 between a hand-over and the next claim there is no step
 * event; I9 forward completions are steps 1..k in order, each once; I10 a completed order has all steps; I11 a rollback is
 * the exact reverse, each step once, the broken one first; I12 exactly one terminal event.
 */
export interface LeaseSettings {
  /** How long a session stays claimed after a heartbeat. */
  ttlMs: number;
  heartbeatMs: number;
  /** How much earlier than its lease a node stops by itself. */
  marginMs: number;
}

export const DEFAULT_LEASE: LeaseSettings = { ttlMs: 3_000, heartbeatMs: 750, marginMs: 600 };

/** Why these settings would end sessions of healthy nodes, or `undefined`. */
export function findLeaseFault({ ttlMs, heartbeatMs, marginMs }: LeaseSettings): string | undefined {
  if (heartbeatMs <= 0) return `the heartbeat is ${heartbeatMs} ms; more than 0 is expected`;
  if (heartbeatMs > ttlMs / 3) return `the heartbeat of ${heartbeatMs} ms is more than a third of the lease of ${ttlMs} ms`;
  if (marginMs < ttlMs / 10) return `the margin of ${marginMs} ms is less than a tenth of the lease of ${ttlMs} ms`;
  if (marginMs + heartbeatMs >= ttlMs)
    return `margin and heartbeat (${marginMs + heartbeatMs} ms) leave nothing of the lease of ${ttlMs} ms`;
  return undefined;
}

/** The node's own view of its lease; all moments by its monotonic clock. */
export class Lease {
  private readonly settings: LeaseSettings;
  private until = Number.NEGATIVE_INFINITY;

  constructor(settings: LeaseSettings) {
    this.settings = settings;
  }

  /** A heartbeat that was sent at this moment was answered. */
  renewedBy(sentAt: number): void {
    this.until = Math.max(this.until, sentAt + this.settings.ttlMs - this.settings.marginMs);
  }

  /** The moment from which on the node must not work. */
  get deadline(): number {
    return this.until;
  }

  isHeldAt(moment: number): boolean {
    return moment < this.until;
  }
}
