export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

/** One line of the report. */
export interface Figure {
  /** For those who compute with it (see bench/report.ts). */
  id?: string;
  name: string;
  value: number;
  unit: string;
  /** What the project promises of it, if it does. */
  target?: { atLeast: number } | { atMost: number };
  /** What went wrong while it was measured: it has no value. */
  refused?: string;
}

/** Lines over one axis; `x` and `y` with their units. */
export interface LinePlot {
  title: string;
  x: string;
  y: string;
  lines: { label: string; points: [x: number, y: number][] }[];
}

/** What is compared, side by side. */
export interface BarPlot {
  title: string;
  unit: string;
  bars: { label: string; value: number; isOurs?: boolean }[];
}

export type Plot = LinePlot | BarPlot;

/** What a suite found out. */
export interface Measured {
  figures: Figure[];
  plots?: Plot[];
}

/** What nothing could be measured of is not shown as if it had been. */
export function refuseNoNumbers({ figures }: Measured): void {
  const nothing = figures.filter(({ value, refused }) => refused === undefined && !Number.isFinite(value));
  if (nothing.length > 0) throw new Error(`nothing was measured of: ${nothing.map(({ name }) => name).join('; ')}`);
}

export function isMet({ value, target, refused }: Figure): boolean | undefined {
  if (refused !== undefined) return false;
  if (!target) return undefined;
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost;
}

export function promiseOf({ target }: Figure): string {
  if (!target) return '';
  return 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`;
}

export function printFigures(figures: readonly Figure[]): void {
  if (figures.length === 0) return;
  const width = Math.max(...figures.map(({ name }) => name.length));
  for (const figure of figures) {
    if (figure.refused !== undefined) {
      console.log(`${figure.name.padEnd(width)}  REFUSED: ${figure.refused}`);
      continue;
    }
    const verdict = { true: 'met', false: 'MISSED', undefined: '' }[String(isMet(figure)) as 'true' | 'false' | 'undefined'];
    console.log(
      `${figure.name.padEnd(width)}  ${formatValue(figure.value).padStart(10)} ${figure.unit.padEnd(18)} ${promiseOf(figure).padEnd(8)} ${verdict}`.trimEnd(),
    );
  }
}

export function formatValue(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 3);
}
