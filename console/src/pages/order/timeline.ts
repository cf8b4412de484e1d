import { type Direction, type EventKind, isEnded, type OrderState, TRANSITIONS } from '#domain/order-state.ts';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { isEndStep, stepNamesOf } from '../../parts/step-names.ts';

/**
 * An order's life as a row of segments, from its acceptance to its end or the present: one follows the other without gap.
 * An event ends the segment before it and tells of the step that one was in; pure.
 */
export type SegmentKind = 'waiting' | 'backoff' | 'running' | 'undoing' | 'stopped' | 'held';

/** How a segment ended; `open`: it has not. */
type SegmentEnd = 'open' | 'done' | 'failed' | 'interrupted';

export interface Segment {
  step: string;
  kind: SegmentKind;
  direction: Direction;
  from: number;
  /** `undefined`: the present. */
  to: number | undefined;
  end: SegmentEnd;
  /** The event that it began with. */
  since: EventKind;
  version: number;
  /** Of what is worked: how often its step, or the undo of it, was begun until then. */
  attempt?: number;
  nodeId?: string | undefined;
  error?: string | undefined;
}

/** What is known of an order besides its events: where it stands tells the name of a step that has only just begun. */
export interface Known {
  stepNames: readonly string[];
  currentStep?: string | undefined;
  isHeld?: boolean;
}

interface Told extends Omit<EventJson, 'kind' | 'direction' | 'step_name'> {
  kind: EventKind;
  direction: Direction;
  step: string;
  time: number;
}

/** An order's life: the lanes of its steps, and what it was in. */
export interface Life {
  lanes: readonly string[];
  segments: readonly Segment[];
}

export function lifeOf(order: Pick<OrderViewJson, 'workflow' | 'current_step' | 'status'>, events: readonly EventJson[]): Life {
  const known = { stepNames: stepNamesOf(order), currentStep: order.current_step, isHeld: order.status === 'held' };
  return { lanes: lanesOf(events, known), segments: segmentsOf(events, known) };
}

/** The steps in their order: those of the workflow, then what the history names besides. */
export function lanesOf(events: readonly EventJson[], { stepNames, currentStep }: Known): string[] {
  const named = events.flatMap(({ step_name: name }) => name ?? []);
  const current = currentStep === undefined || isEndStep(currentStep) ? [] : [currentStep];
  return [...new Set([...stepNames, ...named, ...current])];
}

export function segmentsOf(events: readonly EventJson[], known: Known): Segment[] {
  const told = toldOf(events);
  const lanes = lanesOf(events, known);
  const attempts = new Map<string, number>();
  const segments: Segment[] = [];
  let state: OrderState = 'queued';
  for (const [index, event] of told.entries()) {
    const { to } = TRANSITIONS[event.kind];
    state = to === 'same' ? state : to;
    if (isEnded(state)) break;
    const next = told[index + 1];
    const segment = begin(event, next, known.isHeld && !next ? 'held' : state, next?.step ?? stepAfter(event, lanes, known));
    if (segment.kind === 'running' || segment.kind === 'undoing') countAttempt(segment, attempts);
    segments.push(...splitBackoff(segment, event));
  }
  return segments;
}

/** With times that never go back: two writers of one history may see the clock differently by a moment. */
function toldOf(events: readonly EventJson[]): Told[] {
  let latest = Number.NEGATIVE_INFINITY;
  return events.map((event) => {
    latest = Math.max(latest, Date.parse(event.at));
    const { kind, direction } = event as { kind: EventKind; direction: Direction };
    return { ...event, kind, direction, step: event.step_name ?? '', time: latest };
  });
}

function begin(event: Told, next: Told | undefined, state: OrderState, step: string): Segment {
  const direction = TRANSITIONS[event.kind].next({ step: 1, direction: event.direction }).direction;
  // A node that leaves gives back a step that had only just become the present one: it never began there.
  const neverBegan = next?.kind === 'handed_back' && event.kind !== 'claimed';
  const kind = neverBegan ? 'waiting' : kindIn(state, direction);
  const isWorked = kind === 'running' || kind === 'undoing';
  return {
    step,
    kind,
    direction,
    from: event.time,
    to: next?.time,
    end: next ? endBy(next.kind, direction) : 'open',
    since: event.kind,
    version: event.version,
    ...(isWorked ? { nodeId: event.node_id ?? next?.node_id } : {}),
    ...(next && isWorked ? { error: errorOf(next) } : {}),
    ...(kind === 'backoff' || kind === 'stopped' ? { error: errorOf(event) } : {}),
  };
}

function kindIn(state: OrderState, direction: Direction): SegmentKind {
  switch (state) {
    case 'running':
      return direction === 'rollback' ? 'undoing' : 'running';
    case 'needs_attention':
      return 'stopped';
    case 'held':
      return 'held';
    default:
      return 'waiting';
  }
}

function endBy(kind: EventKind, direction: Direction): SegmentEnd {
  switch (kind) {
    case 'step_failed':
    case 'retry_scheduled':
    case 'attention_needed':
      return 'failed';
    case 'handed_back':
    case 'handed_over':
    case 'cancel_started':
      return 'interrupted';
    case 'cancelled':
      return direction === 'forward' ? 'interrupted' : 'done';
    default:
      return 'done';
  }
}

function countAttempt(segment: Segment, attempts: Map<string, number>): void {
  const key = `${segment.direction} ${segment.step}`;
  segment.attempt = (attempts.get(key) ?? 0) + 1;
  attempts.set(key, segment.attempt);
}

/** The wait for a retry is over when it was said to be; what comes then is the wait for a slot. */
function splitBackoff(segment: Segment, event: Told): Segment[] {
  if (event.kind !== 'retry_scheduled' || segment.kind !== 'waiting') return [segment];
  const error = errorOf(event);
  const delay = Number((event.data as { delay_ms?: unknown } | undefined)?.delay_ms) || 0;
  const due = segment.from + Math.max(0, delay);
  if (segment.to !== undefined && due >= segment.to) return [{ ...segment, kind: 'backoff', error }];
  return [
    { ...segment, kind: 'backoff', to: due, end: 'done', error },
    { ...segment, from: due },
  ];
}

export function errorOf({ data }: Pick<EventJson, 'data'>): string | undefined {
  const { error } = (data ?? {}) as { error?: { message?: string; code?: string } };
  return error?.message ?? error?.code;
}

/** The step of an order after its latest event. */
function stepAfter(event: Told, lanes: readonly string[], { currentStep }: Known): string {
  const move = event.kind === 'step_completed' ? 1 : event.kind === 'step_undone' ? -1 : 0;
  const other = currentStep !== undefined && !isEndStep(currentStep) && currentStep !== event.step ? currentStep : undefined;
  return lanes[lanes.indexOf(event.step) + move] ?? other ?? event.step;
}

/** A segment that has begun, as of a moment. */
export type Shown = Segment & { to: number };

/** What has happened until now; what goes on is cut there. `now` may be a little behind the clock that wrote the history. */
export function segmentsUntil(segments: readonly Segment[], now: number): Shown[] {
  const isOpen = segments.at(-1)?.to === undefined;
  const lastEventAt = segments.findLast(({ kind, since }) => kind !== 'waiting' || since !== 'retry_scheduled')?.from ?? now;
  const present = isOpen ? Math.max(now, lastEventAt) : Number.POSITIVE_INFINITY;
  return segments
    .filter(({ from }) => from <= present)
    .map((segment) => {
      const { to } = segment;
      return to === undefined || to > present ? { ...segment, to: present, end: 'open' } : { ...segment, to };
    });
}

type Sums = Record<SegmentKind, number>;

/** How long an order was in what, in ms. */
export function sumUp(segments: readonly Shown[]): Sums {
  const sums: Sums = { waiting: 0, backoff: 0, running: 0, undoing: 0, stopped: 0, held: 0 };
  for (const { kind, from, to } of segments) sums[kind] += to - from;
  return sums;
}
