import type { TickReport } from '#engine/store.ts';

interface Observation {
  beat: number;
  /** When this beat was first seen, by our monotonic clock. */
  since: number;
}

/**
 * Suspects sessions by watching, not by the clock alone: a session whose beat has not moved for a whole ttl by our own
 * monotonic clock, and whose lease the database calls expired. A restart of the database, or a gap in our own watching
 * (we were paused ourselves), starts every observation afresh: everyone gets a whole ttl of grace.
 */
export class SessionWatch {
  private readonly ttlMs: number;
  private observations = new Map<number, Observation>();
  private databaseEpoch = '';
  private lastLookAt = Number.NEGATIVE_INFINITY;

  constructor(ttlMs: number) {
    this.ttlMs = ttlMs;
  }

  /** Sessions to be ended, from what a tick at `now` brought; never `self`. */
  suspects(report: TickReport, self: number, now: number): number[] {
    if (report.databaseEpoch !== this.databaseEpoch || now - this.lastLookAt > this.ttlMs) this.observations = new Map();
    this.databaseEpoch = report.databaseEpoch;
    this.lastLookAt = now;
    const seen = new Map<number, Observation>();
    const suspects: number[] = [];
    for (const { session, beat, expired } of report.sessions) {
      const before = this.observations.get(session);
      const observation = before?.beat === beat ? before : { beat, since: now };
      seen.set(session, observation);
      if (session !== self && expired && now - observation.since >= this.ttlMs) suspects.push(session);
    }
    this.observations = seen;
    return suspects;
  }
}
