import type { Clock } from '#engine/clock.ts';

/** Claims under way make the database know of more orders than we do: only a surplus that stays is looked into, this often. */
const SURPLUS_TICKS = 2;
const LOOK_EVERY_MS = 5_000;

/** When to ask which orders this session owns: after every lost answer, and when the database counts more than we know of. */
export class SurplusWatch {
  private readonly clock: Clock;
  private suspicious = false;
  private surplusTicks = 0;
  private lookedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** An answer was lost, or work was dropped: what is ours is not known any more. */
  doubt(): void {
    this.suspicious = true;
  }

  get isDoubtful(): boolean {
    return this.suspicious;
  }

  /** Once for each tick, with what it counted. */
  isDue(ownedCount: number, knownCount: number): boolean {
    this.surplusTicks = ownedCount > knownCount ? this.surplusTicks + 1 : 0;
    const mayLook = this.clock.monotonic() - this.lookedAt >= LOOK_EVERY_MS;
    return this.suspicious || (this.surplusTicks >= SURPLUS_TICKS && mayLook);
  }

  /** A look begins: what is doubted from now on is for the next one. */
  begin(): void {
    this.suspicious = false;
    this.surplusTicks = 0;
    this.lookedAt = this.clock.monotonic();
  }
}
