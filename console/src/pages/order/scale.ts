import { formatClock, formatDuration } from '../../format.ts';
import type { SegmentKind, Shown } from './timeline.ts';

/** Where a moment is drawn, and what the axis says. Pure. */

interface Piece {
  from: number;
  to: number;
  /** Places from 0 to 1. */
  left: number;
  right: number;
  isShort: boolean;
}

interface Tick {
  place: number;
  label: string;
}

export interface Scale {
  placeOf: (moment: number) => number;
  ticks: readonly Tick[];
  /** Waits that are drawn shorter than they were. */
  breaks: readonly Piece[];
}

const WORKED: ReadonlySet<SegmentKind> = new Set(['running', 'undoing']);
/** Waiting that took so many times as long as the work leaves nothing of it to see. */
const SHORTEN_ABOVE = 12;
const MAX_TICKS = 6;
const MIN_TICK_DISTANCE = 0.2;
const MIN_DOMAIN_MS = 100;
const ROUND = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK_STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100].map((count) => count * DAY),
];

/** Whether waiting hides the work when everything is drawn true to time. */
export function isMostlyWaiting(segments: readonly Shown[]): boolean {
  const { worked, waited } = lengthsOf(segments);
  return worked > 0 && waited > SHORTEN_ABOVE * worked;
}

/** `isGrowing`: the axis ends later than the present, so that not everything moves all the time. */
export function scaleOf(segments: readonly Shown[], options: { isShortened: boolean; isGrowing: boolean }): Scale {
  const first = segments[0]?.from ?? 0;
  const last = segments.at(-1)?.to ?? first;
  const pieces = options.isShortened ? shortenedPieces(segments) : [wholePiece(first, last, options.isGrowing)];
  return {
    placeOf: (moment) => placeIn(pieces, moment),
    ticks: options.isShortened ? clockTicks(pieces) : offsetTicks(pieces[0] as Piece),
    breaks: pieces.filter(({ isShort }) => isShort),
  };
}

function wholePiece(from: number, last: number, isGrowing: boolean): Piece {
  const length = Math.max(MIN_DOMAIN_MS, last - from);
  return { from, to: from + (isGrowing ? roundUp(Math.max(SECOND, length * 1.02)) : length), left: 0, right: 1, isShort: false };
}

function roundUp(ms: number): number {
  const power = 10 ** Math.floor(Math.log10(ms));
  return (ROUND.find((factor) => factor * power >= ms) ?? 10) * power;
}

/** Waits longer than their share are drawn with that share: together as wide as the work. */
function shortenedPieces(segments: readonly Shown[]): Piece[] {
  const { worked, waits } = lengthsOf(segments);
  const share = Math.max(MIN_DOMAIN_MS, worked) / Math.max(1, waits);
  const widths = segments.map(({ kind, from, to }) => (WORKED.has(kind) ? to - from : Math.min(to - from, share)));
  const all = Math.max(
    1,
    widths.reduce((sum, width) => sum + width, 0),
  );
  let left = 0;
  return segments.map(({ from, to }, index) => {
    const width = widths[index] as number;
    const piece = { from, to, left, right: left + width / all, isShort: width < to - from };
    left = piece.right;
    return piece;
  });
}

function lengthsOf(segments: readonly Shown[]): { worked: number; waited: number; waits: number } {
  const lengths = { worked: 0, waited: 0, waits: 0 };
  for (const { kind, from, to } of segments) {
    lengths[WORKED.has(kind) ? 'worked' : 'waited'] += to - from;
    if (!WORKED.has(kind) && to > from) lengths.waits += 1;
  }
  return lengths;
}

function placeIn(pieces: readonly Piece[], moment: number): number {
  const piece = pieces.find(({ to }) => moment <= to) ?? pieces.at(-1);
  if (!piece) return 0;
  const share = piece.to > piece.from ? (moment - piece.from) / (piece.to - piece.from) : 0;
  return piece.left + Math.min(1, Math.max(0, share)) * (piece.right - piece.left);
}

function stepFor(lengthMs: number): number {
  return TICK_STEPS.find((step) => lengthMs / step <= MAX_TICKS) ?? roundUp(lengthMs / MAX_TICKS);
}

/** From the acceptance on: `0`, `2.0 s`, `4.0 s`. */
function offsetTicks({ from, to }: Piece): Tick[] {
  const length = to - from;
  const step = stepFor(length);
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, index) => ({
    place: (index * step) / length,
    label: index === 0 ? '0' : formatTick(index * step, step),
  }));
}

function formatTick(ms: number, step: number): string {
  return ms < MINUTE && step >= SECOND ? `${ms / SECOND} s` : formatDuration(ms);
}

/** Where the axis has gaps, offsets would mislead: the time of day, at the begin of what is drawn true to time. */
function clockTicks(pieces: readonly Piece[]): Tick[] {
  const ticks: Tick[] = [];
  const edges = [...pieces.map(({ from, left }) => ({ moment: from, place: left })), ...endOf(pieces)];
  for (const { moment, place } of edges) {
    const label = formatClock(new Date(moment).toISOString());
    const before = ticks.at(-1);
    if (before && (place - before.place < MIN_TICK_DISTANCE || before.label === label)) continue;
    ticks.push({ place, label });
  }
  return ticks;
}

function endOf(pieces: readonly Piece[]): { moment: number; place: number }[] {
  const last = pieces.at(-1);
  return last ? [{ moment: last.to, place: 1 }] : [];
}
