import { type Percentiles, percentilesOf } from '#domain/percentiles.ts';

/** What a stress run has seen, and what follows from it. Pure. */

export type End = 'completed' | 'failed' | 'cancelled' | 'needs_attention';

export interface Tally {
  orders: number;
  startedAtMs: number;
  accepted: number;
  lastAcceptedAtMs: number;
  ends: Record<End, number>;
  lastEndedAtMs: number;
  /** Accepted, and then unknown: there must be none. */
  lost: number;
  /** How often the gateway asked to come back later. */
  waits: number;
  /** Requests that were sent again after no answer came. */
  repeats: number;
  /** Orders that were not accepted, by reason. */
  refusals: Map<string, number>;
  answerMs: number[];
  completionMs: number[];
}

export interface Figures {
  orders: number;
  accepted: number;
  refused: number;
  ended: number;
  open: number;
  ends: Readonly<Record<End, number>>;
  lost: number;
  waits: number;
  repeats: number;
  refusals: { reason: string; count: number }[];
  acceptedPerS: number;
  endedPerS: number;
  answerMs: Percentiles | null;
  completionMs: Percentiles | null;
}

/** Reasons beyond these are counted, not listed. */
const LISTED_REASONS = 5;

export function newTally(orders: number, nowMs: number): Tally {
  return {
    ...{ orders, startedAtMs: nowMs, accepted: 0, lastAcceptedAtMs: nowMs, lastEndedAtMs: nowMs, lost: 0, waits: 0, repeats: 0 },
    ends: { completed: 0, failed: 0, cancelled: 0, needs_attention: 0 },
    ...{ refusals: new Map(), answerMs: [], completionMs: [] },
  };
}

export function figuresOf(tally: Tally): Figures {
  const { orders, accepted, ends, lost, waits, repeats, refusals, startedAtMs } = tally;
  const ended = Object.values(ends).reduce((sum, count) => sum + count, 0);
  const reasons = [...refusals].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count);
  return {
    ...{ orders, accepted, ended, ends: { ...ends }, lost, waits, repeats },
    open: accepted - ended - lost,
    refused: reasons.reduce((sum, { count }) => sum + count, 0),
    refusals: reasons.slice(0, LISTED_REASONS),
    acceptedPerS: perSecond(accepted, tally.lastAcceptedAtMs - startedAtMs),
    endedPerS: perSecond(ended, tally.lastEndedAtMs - startedAtMs),
    answerMs: percentilesOf(tally.answerMs),
    completionMs: percentilesOf(tally.completionMs),
  };
}

function perSecond(count: number, spanMs: number): number {
  return spanMs > 0 ? (count * 1_000) / spanMs : 0;
}
