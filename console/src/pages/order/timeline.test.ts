import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Direction, EVENT_KINDS, type EventKind, isAllowed, isEnded, type OrderState, TRANSITIONS } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';
import { lanesOf, type Segment, segmentsOf, segmentsUntil, sumUp } from './timeline.ts';

const STEPS = ['Scheduling', 'Pre-Processing', 'Processing', 'Post-Processing'];
const KNOWN = { stepNames: STEPS };
const T0 = Date.parse('2026-11-21T10:00:00.000Z');

interface Line {
  kind: EventKind;
  step: number;
  at: number;
  direction?: Direction;
  data?: unknown;
  node?: string;
}

function historyOf(lines: readonly Line[]): EventJson[] {
  return lines.map(({ kind, step, at, direction = 'forward', data, node }, index) => ({
    version: index + 1,
    kind,
    step_name: STEPS[step - 1] as string,
    direction,
    at: new Date(T0 + at).toISOString(),
    fence: 0,
    ...(data === undefined ? {} : { data }),
    ...(node === undefined ? {} : { node_id: node }),
  }));
}

/** `Scheduling running 5–2005 done`, times since the acceptance. */
function tell({ step, kind, from, to, end, attempt }: Segment): string {
  const count = attempt === undefined ? '' : ` #${attempt}`;
  return `${step} ${kind}${count} ${from - T0}–${to === undefined ? '' : to - T0} ${end}`;
}

describe('segmentsOf', () => {
  it('a fresh order waits for a slot', () => {
    expect(segmentsOf(historyOf([{ kind: 'accepted', step: 1, at: 0 }]), KNOWN).map(tell)).toEqual(['Scheduling waiting 0– open']);
  });

  it('one step ends when the next begins; the last one ends the order', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 5 },
      { kind: 'step_completed', step: 1, at: 2_005 },
      { kind: 'step_completed', step: 2, at: 4_005 },
      { kind: 'step_completed', step: 3, at: 6_005 },
      { kind: 'completed', step: 4, at: 8_005 },
    ]);
    expect(segmentsOf(events, KNOWN).map(tell)).toEqual([
      'Scheduling waiting 0–5 done',
      'Scheduling running #1 5–2005 done',
      'Pre-Processing running #1 2005–4005 done',
      'Processing running #1 4005–6005 done',
      'Post-Processing running #1 6005–8005 done',
    ]);
  });

  it('a retry waits out its delay, then for a slot; the failed attempt has its error', () => {
    const error = { code: 'infrastructure', message: 'connection refused' };
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 5 },
      { kind: 'retry_scheduled', step: 1, at: 100, data: { error, retry: 1, retries: 5, delay_ms: 1_000 } },
      { kind: 'claimed', step: 1, at: 1_400 },
      { kind: 'step_completed', step: 1, at: 2_000 },
    ]);
    const segments = segmentsOf(events, KNOWN);
    expect(segments.slice(1).map(tell)).toEqual([
      'Scheduling running #1 5–100 failed',
      'Scheduling backoff 100–1100 done',
      'Scheduling waiting 1100–1400 done',
      'Scheduling running #2 1400–2000 done',
      'Pre-Processing running #1 2000– open',
    ]);
    expect(segments.map(({ error: text }) => text)).toEqual([
      undefined,
      'connection refused',
      'connection refused',
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('a failure begins the undo of its step, which goes on backwards', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'step_completed', step: 1, at: 10 },
      { kind: 'step_failed', step: 2, at: 20, data: { error: { code: 'step_failure', message: 'no stock' } } },
      { kind: 'step_undone', step: 2, at: 30, direction: 'rollback' },
    ]);
    expect(segmentsOf(events, KNOWN).slice(2).map(tell)).toEqual([
      'Pre-Processing running #1 10–20 failed',
      'Pre-Processing undoing #1 20–30 done',
      'Scheduling undoing #1 30– open',
    ]);
  });

  it('what a lost node had is interrupted and waits for another slot', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1, node: 'a' },
      { kind: 'handed_over', step: 1, at: 50 },
      { kind: 'claimed', step: 1, at: 60, node: 'b' },
    ]);
    const segments = segmentsOf(events, KNOWN);
    expect(segments.slice(1).map(tell)).toEqual([
      'Scheduling running #1 1–50 interrupted',
      'Scheduling waiting 50–60 done',
      'Scheduling running #2 60– open',
    ]);
    expect(segments.map(({ nodeId }) => nodeId)).toEqual([undefined, 'a', undefined, 'b']);
  });

  it('a step that a leaving node gave back before it began only waited', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'step_completed', step: 1, at: 10 },
      { kind: 'handed_back', step: 2, at: 11 },
      { kind: 'claimed', step: 2, at: 15 },
    ]);
    expect(segmentsOf(events, KNOWN).slice(2).map(tell)).toEqual([
      'Pre-Processing waiting 10–11 interrupted',
      'Pre-Processing waiting 11–15 done',
      'Pre-Processing running #1 15– open',
    ]);
  });

  it('an undo that cannot succeed stops the order until a person releases it', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'cancel_started', step: 1, at: 5 },
      { kind: 'attention_needed', step: 1, at: 9, direction: 'rollback', data: { error: { code: 'x', message: 'printer on fire' } } },
      { kind: 'released', step: 1, at: 100, direction: 'rollback' },
    ]);
    expect(segmentsOf(events, KNOWN).slice(1).map(tell)).toEqual([
      'Scheduling running #1 1–5 interrupted',
      'Scheduling undoing #1 5–9 failed',
      'Scheduling stopped 9–100 done',
      'Scheduling waiting 100– open',
    ]);
  });

  it('a cancel while it waits for a retry ends the wait', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'retry_scheduled', step: 1, at: 10, data: { delay_ms: 10_000 } },
      { kind: 'cancel_started', step: 1, at: 500 },
      { kind: 'claimed', step: 1, at: 510, direction: 'rollback' },
    ]);
    expect(segmentsOf(events, KNOWN).slice(2).map(tell)).toEqual([
      'Scheduling backoff 10–500 interrupted',
      'Scheduling waiting 500–510 done',
      'Scheduling undoing #1 510– open',
    ]);
  });

  it('of a workflow that nobody knows, the present step comes from the order', () => {
    const events = historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'step_completed', step: 1, at: 2 },
    ]);
    const known = { stepNames: [], currentStep: 'Pack' };
    expect(segmentsOf(events, known).at(-1)?.step).toBe('Pack');
    expect(lanesOf(events, known)).toEqual(['Scheduling', 'Pack']);
  });
});

describe('segmentsUntil', () => {
  const waiting = segmentsOf(
    historyOf([
      { kind: 'accepted', step: 1, at: 0 },
      { kind: 'claimed', step: 1, at: 1 },
      { kind: 'retry_scheduled', step: 1, at: 10, data: { delay_ms: 100 } },
    ]),
    KNOWN,
  );

  it('a wait for a retry becomes one for a slot when it is due', () => {
    expect(
      segmentsUntil(waiting, T0 + 50)
        .slice(2)
        .map(tell),
    ).toEqual(['Scheduling backoff 10–50 open']);
    expect(
      segmentsUntil(waiting, T0 + 150)
        .slice(2)
        .map(tell),
    ).toEqual(['Scheduling backoff 10–110 done', 'Scheduling waiting 110–150 open']);
  });

  it('a clock that is behind shows nothing earlier than the last event', () => {
    expect(segmentsUntil(waiting, T0 - 5_000).at(-1)?.to).toBe(T0 + 10);
  });
});

/** Any history that the state machine allows, with any pauses. */
const anyHistory = fc
  .array(fc.record({ pick: fc.nat(), pause: fc.integer({ min: -3, max: 3_000 }), delay: fc.integer({ min: 0, max: 2_000 }) }), {
    maxLength: 60,
  })
  .map((moves) => {
    const lines: Line[] = [{ kind: 'accepted', step: 1, at: 0 }];
    let state: OrderState = 'queued';
    let at = { step: 1, direction: 'forward' as Direction };
    let time = 0;
    for (const { pick, pause, delay } of moves) {
      if (isEnded(state)) break;
      const allowed = EVENT_KINDS.filter((kind) => isAllowed(kind, state, at.direction) && fits(kind, at));
      const kind = allowed[pick % allowed.length] as EventKind;
      time += pause;
      lines.push({
        kind,
        step: at.step,
        direction: at.direction,
        at: time,
        ...(kind === 'retry_scheduled' ? { data: { delay_ms: delay } } : {}),
      });
      const { to, next } = TRANSITIONS[kind];
      state = to === 'same' ? state : to;
      at = next(at);
    }
    return historyOf(lines);
  });

function fits(kind: EventKind, { step, direction }: { step: number; direction: Direction }): boolean {
  if (kind === 'step_completed') return step < STEPS.length;
  if (kind === 'completed') return step === STEPS.length;
  if (kind === 'step_undone') return step > 1;
  if (kind === 'failed') return step === 1;
  return kind !== 'cancelled' || direction === 'forward' || step === 1;
}

describe('whatever happened to an order', () => {
  const latestOf = (events: readonly EventJson[]): number => Math.max(...events.map(({ at }) => Date.parse(at)));

  it('segments follow each other without gap or overlap from the acceptance to the end or the present', () => {
    fc.assert(
      fc.property(anyHistory, fc.integer({ min: 0, max: 10_000 }), (events, later) => {
        const now = latestOf(events) + later;
        const all = segmentsOf(events, KNOWN);
        const shown = segmentsUntil(all, now);
        const isOpen = all.at(-1)?.to === undefined;
        expect(shown[0]?.from).toBe(T0);
        expect(shown.at(-1)?.to).toBe(isOpen ? now : latestOf(events));
        for (const [index, { from, to }] of shown.entries()) {
          expect(to).toBeGreaterThanOrEqual(from);
          if (index > 0) expect(from).toBe(shown[index - 1]?.to);
        }
        expect(Object.values(sumUp(shown)).reduce((sum, ms) => sum + ms, 0)).toBe((shown.at(-1)?.to ?? 0) - T0);
      }),
    );
  });

  it('only the last one is open, every one is in a lane, attempts count up without gap', () => {
    fc.assert(
      fc.property(anyHistory, (events) => {
        const all = segmentsOf(events, KNOWN);
        const lanes = lanesOf(events, KNOWN);
        expect(all.slice(0, -1).every(({ end }) => end !== 'open')).toBe(true);
        expect(all.every(({ step }) => lanes.includes(step))).toBe(true);
        for (const step of STEPS)
          for (const kind of ['running', 'undoing']) {
            const attempts = all.filter((segment) => segment.step === step && segment.kind === kind).map(({ attempt }) => attempt);
            expect(attempts).toEqual(attempts.map((_, index) => index + 1));
          }
      }),
    );
  });
});
