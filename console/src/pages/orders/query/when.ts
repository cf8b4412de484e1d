import { parseDuration } from '#domain/time.ts';

/** Moments in a search: a span of time back from now, or a moment. Pure. */
const MOMENT = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,9})?)?([Zz]|[+-]\d{2}:\d{2})?)?$/;
const LATEST_MS = Date.UTC(9999, 11, 31);

export function isWhen(name: string): name is 'since' | 'until' {
  return name === 'since' || name === 'until';
}

/** The moment that `15m`, `2026-11-21` or `2026-11-21T10:00:00Z` names; without a zone it is the reader's. NaN for anything else. */
export function momentOf(text: string, now: number): number {
  const span = parseDuration(text);
  if (span !== undefined) return Math.max(0, now - span);
  const match = MOMENT.exec(text);
  if (!match || !isInCalendar(match)) return Number.NaN;
  // A date alone would be read as UTC.
  const at = Date.parse(match[4] === undefined ? `${text}T00:00` : text);
  return at < 0 || at > LATEST_MS ? Number.NaN : at;
}

function isInCalendar(match: RegExpExecArray): boolean {
  const [year = 0, month = 0, day = 0] = match.slice(1, 4).map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
