import { type Percentiles, percentilesOf } from '#domain/percentiles.ts';
import { formatDuration } from '#domain/time.ts';
import { neutralise, paint, renderPairs } from '../print.ts';
import type { Tally } from './tally.ts';

/** The result of a run, as `--json` prints it. */
export interface Figures {
  orders: number;
  submitted: number;
  accepted: number;
  rejected: number;
  completed: number;
  failed: number;
  cancelled: number;
  needs_attention: number;
  /** Still under way when the run was interrupted. */
  open: number;
  lost: number;
  /** Of the orders that ended. */
  share_failed: number;
  success_rate: number;
  violations: number;
  submits_per_s: number;
  orders_per_s: number;
  submit_latency_ms: Percentiles | null;
  end_to_end_ms: Percentiles | null;
  failures: Record<string, number>;
  /** Ended orders. */
  by_region: Record<string, number>;
  by_warehouse: Record<string, number>;
  rejections: Record<string, number>;
  lost_orders: { order_id: string; reason: string }[];
  violation_list: { order_id: string; reason: string }[];
  retried_submits: number;
  polls: number;
  verdict: 'passed' | 'failed' | 'interrupted';
}

const LISTED = 20;

export interface RunResult {
  tally: Tally;
  orders: number;
  submitMs: number;
  interrupted: boolean;
}

export function computeFigures({ tally, orders, submitMs, interrupted }: RunResult): Figures {
  const isSound = tally.lost.length === 0 && tally.violations.length === 0 && tally.rejected === 0 && tally.needsAttention === 0;
  return {
    orders,
    submitted: tally.submitted,
    accepted: tally.accepted,
    rejected: tally.rejected,
    completed: tally.completed,
    failed: tally.failed,
    cancelled: tally.cancelled,
    needs_attention: tally.needsAttention,
    open: tally.open,
    lost: tally.lost.length,
    share_failed: tally.ended === 0 ? 0 : round(tally.failed / tally.ended, 4),
    success_rate: tally.ended === 0 ? 0 : round(tally.completed / tally.ended, 4),
    violations: tally.violations.length,
    submits_per_s: perSecond(tally.accepted, submitMs),
    orders_per_s: perSecond(tally.ended, tally.spanMs),
    submit_latency_ms: roundAll(percentilesOf(tally.submitLatenciesMs)),
    end_to_end_ms: roundAll(percentilesOf(tally.endToEndMs)),
    failures: Object.fromEntries(tally.failures),
    by_region: Object.fromEntries(tally.regions),
    by_warehouse: Object.fromEntries(tally.warehouses),
    rejections: Object.fromEntries(tally.rejections),
    lost_orders: tally.lost.slice(0, LISTED),
    violation_list: tally.violations.slice(0, LISTED),
    retried_submits: tally.retriedSubmits,
    polls: tally.polls,
    verdict: interrupted ? 'interrupted' : isSound ? 'passed' : 'failed',
  };
}

function roundAll(values: Percentiles | null): Percentiles | null {
  if (!values) return null;
  const { p50, p95, p99, max } = values;
  return { p50: round(p50, 1), p95: round(p95, 1), p99: round(p99, 1), max: round(max, 1) };
}

function perSecond(count: number, spanMs: number): number {
  return spanMs > 0 ? round((count * 1_000) / spanMs, 1) : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** The figures for people. */
export function renderFigures(figures: Figures): string {
  const pairs: [string, string][] = [
    ['Submitted', `${figures.submitted} of ${figures.orders}`],
    ['Accepted', `${figures.accepted}${figures.retried_submits > 0 ? ` (${figures.retried_submits} requests were repeated)` : ''}`],
    ['Completed', `${figures.completed} (${(figures.success_rate * 100).toFixed(1)} % of those that ended)`],
    ['Failed', `${figures.failed} (${(figures.share_failed * 100).toFixed(1)} % of those that ended)`],
    ['Cancelled', String(figures.cancelled)],
    ['Lost', String(figures.lost)],
    ['Violations', String(figures.violations)],
    ...optional('Rejected', figures.rejected),
    ...optional('Need attention', figures.needs_attention),
    ...optional('Still open', figures.open),
    ['Throughput', `${figures.orders_per_s} orders/s ended, ${figures.submits_per_s} orders/s accepted`],
    ['Submit', renderPercentiles(figures.submit_latency_ms)],
    ['End to end', renderPercentiles(figures.end_to_end_ms)],
  ];
  const lists = [
    renderCounts('Ended by region', figures.by_region, ''),
    renderCounts('Ended by warehouse', figures.by_warehouse, ''),
    renderCounts('Failures', figures.failures),
    renderCounts('Rejections', figures.rejections),
    renderFaults('Lost', figures.lost_orders, figures.lost),
    renderFaults('Violations', figures.violation_list, figures.violations),
  ];
  const verdict = paint(figures.verdict === 'passed' ? 'green' : 'red', verdictLine(figures));
  return `${renderPairs(pairs)}${lists.join('')}\n${verdict}\n`;
}

function optional(label: string, count: number): [string, string][] {
  return count > 0 ? [[label, String(count)]] : [];
}

function renderPercentiles(values: Percentiles | null): string {
  if (!values) return 'nothing measured';
  const { p50, p95, p99, max } = values;
  return `p50 ${formatMs(p50)}   p95 ${formatMs(p95)}   p99 ${formatMs(p99)}   max ${formatMs(max)}`;
}

function formatMs(ms: number): string {
  return ms >= 10_000 ? `${(ms / 1_000).toFixed(1)}s` : formatDuration(ms);
}

function renderCounts(title: string, counts: Record<string, number>, by = ' by reason'): string {
  const entries = Object.entries(counts)
    .sort((one, other) => other[1] - one[1])
    .slice(0, LISTED);
  return entries.length === 0
    ? ''
    : `\n${title}${by}\n${renderPairs(
        entries.map(([reason, count]) => [String(count), neutralise(reason)]),
        '  ',
      )}`;
}

function renderFaults(title: string, faults: readonly { order_id: string; reason: string }[], count: number): string {
  if (count === 0) return '';
  const rest = count > faults.length ? `  … and ${count - faults.length} more\n` : '';
  return `\n${title}\n${renderPairs(
    faults.map(({ order_id, reason }) => [neutralise(order_id), neutralise(reason)]),
    '  ',
  )}${rest}`;
}

function verdictLine(figures: Figures): string {
  switch (figures.verdict) {
    case 'passed':
      return 'Passed: nothing lost, nothing violated.';
    case 'interrupted':
      return 'Interrupted: the orders that are open go on.';
    default:
      return 'FAILED: see above.';
  }
}
