/** How far back the overview looks; `range` in the URL. Pure. */
export const RANGES = ['5m', '15m', '1h', '6h', '24h', '7d'] as const;
export type Range = (typeof RANGES)[number];

export const DEFAULT_RANGE: Range = '15m';

const WORDS: Record<Range, string> = {
  '5m': '5 minutes',
  '15m': '15 minutes',
  '1h': 'hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
};

/** What a URL names; anything else is the default. */
export function readRange(text: string | undefined): Range {
  return RANGES.find((range) => range === text) ?? DEFAULT_RANGE;
}

/** As in “the last 15 minutes”. */
export function wordsOfRange(range: Range): string {
  return WORDS[range];
}
