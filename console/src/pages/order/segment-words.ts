import { formatDuration } from '../../format.ts';
import type { SegmentKind, Shown } from './timeline.ts';

/** Segments in words. Pure. */

/** How a segment is drawn: its kind, and of work whether it was for nothing. */
export type Look = SegmentKind | 'failed' | 'interrupted';

/** In the order of the legend. */
export const LOOKS: Record<Look, string> = {
  running: 'Worked',
  failed: 'Failed attempt',
  interrupted: 'Interrupted attempt',
  waiting: 'Waited for a slot',
  backoff: 'Waited for a retry',
  undoing: 'Undone',
  stopped: 'Stopped for a person',
  held: 'Held',
};

const NOW: Partial<Record<Look, string>> = {
  running: 'is being worked',
  undoing: 'is being undone',
  waiting: 'waits for a slot',
  backoff: 'waits for a retry',
  stopped: 'is stopped; a person must look',
  held: 'is held',
};

const EXACT_BELOW_MS = 60_000;

export function lookOf({ kind, end }: Pick<Shown, 'kind' | 'end'>): Look {
  if (kind !== 'running' || end === 'open' || end === 'done') return kind;
  return end;
}

/** `worked`, `the undo failed`, `waits for a slot`. */
export function whatOf(segment: Shown): string {
  const look = lookOf(segment);
  if (segment.end === 'open') return NOW[look] ?? look;
  if (segment.kind === 'undoing' && segment.end !== 'done') return segment.end === 'failed' ? 'undo failed' : 'undo interrupted';
  return LOOKS[look].toLowerCase();
}

export function tookOf({ from, to }: Pick<Shown, 'from' | 'to'>): string {
  return formatDuration(to - from);
}

/** Since the acceptance, exact: the events of one moment stay apart. */
export function formatOffset(ms: number): string {
  return ms < EXACT_BELOW_MS ? `${(ms / 1_000).toFixed(3)} s` : formatDuration(ms);
}

/** One line for who cannot see the drawing. */
export function describeSegment(segment: Shown, begin: number): string {
  const attempt = segment.attempt !== undefined && segment.attempt > 1 ? `, attempt ${segment.attempt}` : '';
  const error = segment.error === undefined ? '' : `, ${segment.error}`;
  return `${segment.step}: ${whatOf(segment)}${attempt}, for ${tookOf(segment)} from ${formatDuration(segment.from - begin)} on${error}`;
}
