/** A moment: milliseconds since 1970-01-01T00:00:00Z, as the database's clock gave it. */
export type EpochMs = number;

/** RFC 3339 in UTC with milliseconds, the only form in which times leave the system. */
export function formatTime(at: EpochMs): string {
  return new Date(at).toISOString();
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of `250ms`, `5s`, `1.5m`, `2h` or `7d`; `undefined` when the text is none of these. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]);
}

/** The shortest exact spelling that `parseDuration` reads back: 5000 → `5s`, 90000 → `90s`, 250 → `250ms`. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms >= UNIT_MS[unit] && ms % UNIT_MS[unit] === 0) return `${ms / UNIT_MS[unit]}${unit}`;
  }
  return `${ms}ms`;
}
