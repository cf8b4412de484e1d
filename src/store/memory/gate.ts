import type { GateReport } from '#engine/peer-store.ts';
import type { MemoryDatabase } from './database.ts';

/** Orders with keys that were accepted up to then may not be claimed. */
export function gateHoldsUpTo(db: MemoryDatabase): number {
  if (db.peers.length === 0) return Number.NEGATIVE_INFINITY;
  if (!isAttended(db)) return Number.POSITIVE_INFINITY;
  return db.gate.closedAt ?? Number.NEGATIVE_INFINITY;
}

export function isAttended({ gate, clock, epoch }: MemoryDatabase): boolean {
  return gate.epoch === epoch && gate.until > clock.now();
}

export function gateOf(db: MemoryDatabase): GateReport {
  return { open: gateHoldsUpTo(db) === Number.NEGATIVE_INFINITY, round: db.gate.round, compared: [...db.gate.compared] };
}
