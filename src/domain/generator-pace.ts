import { formatDuration, parseDuration } from './time.ts';

/** How often the generator places an order. */

export const MIN_PACE_MS = 100;
export const MAX_PACE_MS = 86_400_000;
export const DEFAULT_PACE_MS = 2_000;
/** For messages: what is allowed. */
export const PACE_RANGE = `from ${formatDuration(MIN_PACE_MS)} to ${formatDuration(MAX_PACE_MS)}`;

/** Milliseconds of a pace such as `2s`; `undefined` when the text is no duration, or one out of bounds. */
export function parsePace(text: string): number | undefined {
  const ms = parseDuration(text);
  return ms !== undefined && ms >= MIN_PACE_MS && ms <= MAX_PACE_MS ? ms : undefined;
}
