/**
 * How long many things took, as counts in bins: eight for each doubling of the milliseconds, so the end of a bin is 9 % above its begin.
 * What took less than a millisecond is in the first. Histograms of several places add up to that of all. `latency_bin` in
 * sql/migrations/0014_statistics.sql has the same bins.
 */
export type Histogram = ReadonlyMap<number, number>;

const BINS_PER_DOUBLING = 8;

export function binOf(ms: number): number {
  return Math.floor(BINS_PER_DOUBLING * Math.log2(Math.max(ms, 1)));
}

export function addHistograms(histograms: readonly Histogram[]): Histogram {
  const sum = new Map<number, number>();
  for (const [bin, count] of histograms.flatMap((histogram) => [...histogram])) sum.set(bin, (sum.get(bin) ?? 0) + count);
  return sum;
}

/**
 * The time in milliseconds that this many per cent did not exceed (the nearest rank), to within 4.5 %: the middle of its bin. `undefined`
 * of nothing.
 */
export function percentileOf(histogram: Histogram, percent: number): number | undefined {
  const bins = [...histogram].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  const rank = Math.ceil((bins.reduce((total, [, count]) => total + count, 0) * percent) / 100);
  let seen = 0;
  for (const [bin, count] of bins) {
    seen += count;
    if (seen >= rank) return middleOf(bin);
  }
  return undefined;
}

function middleOf(bin: number): number {
  return 2 ** ((bin + 0.5) / BINS_PER_DOUBLING);
}
