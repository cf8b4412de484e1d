import type { Clock } from '#engine/clock.ts';
import type { ClaimedOrder } from '#engine/store.ts';

/** How often everything is looked at, at most; and never for more than this part of the time. */
const LOOK_EVERY_MS = 10_000;
const MAX_SHARE = 0.01;
const FIRST_ID = '00000000-0000-0000-0000-000000000000';

interface Scope {
  /** The oldest order that the session owns, as far as is known: ids grow with time. */
  from: string;
  /** The oldest one that was found in its hands since its last tick was sent. */
  found: string | undefined;
}

/**
 * How far back the ticks of sessions look. Entries of what a session owned once stay in the index until they are vacuumed, or for as
 * long as an old snapshot lives somewhere (a backup, a forgotten session): a tick that reads past all of them becomes slower with every
 * order, until it comes too late for its lease. So it looks from the oldest order that is owned on. What it cannot know of (a claim
 * whose answer was lost) is found by a look at everything, which holds up no tick.
 */
export class TickScopes {
  private readonly clock: Clock;
  private readonly scopes = new Map<number, Scope>();
  private nextLookAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** From where on a tick looks that is sent now; a session's first one at everything, which is not much yet. */
  begin(session: number): string {
    const scope = this.scopes.get(session);
    if (!scope) {
      this.scopes.set(session, { from: FIRST_ID, found: undefined });
      return FIRST_ID;
    }
    if (scope.found !== undefined && scope.found < scope.from) scope.from = scope.found;
    scope.found = undefined;
    return scope.from;
  }

  /** @param oldest the first order that the tick found in the session's hands */
  end(session: number, oldest: string | null): void {
    const scope = this.scopes.get(session);
    if (scope && oldest !== null) scope.from = oldest;
  }

  /** These are in its hands, whenever they were taken. */
  noteOwned(session: number, orders: readonly Pick<ClaimedOrder, 'orderId'>[]): void {
    const scope = this.scopes.get(session);
    if (!scope) return;
    for (const { orderId } of orders) if (scope.found === undefined || orderId < scope.found) scope.found = orderId;
  }

  forget(session: number): void {
    this.scopes.delete(session);
  }

  /** Runs the look at everything when it is time for one; the longer it takes, the rarer it comes. */
  async lookWhenDue(look: () => Promise<void>): Promise<void> {
    const began = this.clock.monotonic();
    if (began < this.nextLookAt) return;
    this.nextLookAt = Number.POSITIVE_INFINITY;
    try {
      await look();
    } finally {
      const now = this.clock.monotonic();
      this.nextLookAt = now + Math.max(LOOK_EVERY_MS, (now - began) / MAX_SHARE);
    }
  }
}
