import type { EpochMs } from '#domain/time.ts';
import type { Clock, Timer } from './clock.ts';

interface Appointment {
  at: number;
  call: () => void;
}

/** A clock that stands still until it is told to go on, for tests and simulations. Chance repeats itself by its seed. */
export class ManualClock implements Clock {
  private elapsedMs = 0;
  private appointments: Appointment[] = [];
  private readonly startedAt: EpochMs;
  private seed: number;

  constructor(startedAt: EpochMs = 1_750_000_000_000, seed = 1) {
    this.startedAt = startedAt;
    this.seed = seed;
  }

  now(): EpochMs {
    return this.startedAt + this.elapsedMs;
  }

  monotonic(): number {
    return this.elapsedMs;
  }

  after(delayMs: number, call: () => void): Timer {
    const appointment = { at: this.elapsedMs + delayMs, call };
    this.appointments.push(appointment);
    return { cancel: () => this.remove(appointment) };
  }

  /** Linear congruential (Numerical Recipes): even enough for tests, and the same on every machine. */
  random(): number {
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0;
    return this.seed / 0x1_0000_0000;
  }

  entropy(): Uint8Array {
    return Uint8Array.from({ length: 8 }, () => Math.floor(this.random() * 256));
  }

  /** Timers that were set and neither came nor were cancelled. */
  get waitingCount(): number {
    return this.appointments.length;
  }

  /** Lets this much time pass, calling back whatever falls due meanwhile, in its order, each at its own moment. */
  pass(ms: number): void {
    const until = this.elapsedMs + ms;
    for (let next = this.nextUpTo(until); next; next = this.nextUpTo(until)) {
      this.remove(next);
      this.elapsedMs = Math.max(this.elapsedMs, next.at);
      next.call();
    }
    this.elapsedMs = until;
  }

  private nextUpTo(until: number): Appointment | undefined {
    const due = this.appointments.filter(({ at }) => at <= until);
    return due.reduce<Appointment | undefined>((first, other) => (first && first.at <= other.at ? first : other), undefined);
  }

  private remove(appointment: Appointment): void {
    this.appointments = this.appointments.filter((other) => other !== appointment);
  }
}
