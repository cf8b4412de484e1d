import { useInViewport } from '@mantine/hooks';
import { type CSSProperties, type KeyboardEvent, type PointerEvent, type ReactNode, useState } from 'react';
import classes from './gantt.module.css';
import { GanttTip } from './gantt-tip.tsx';
import { usePresent } from './present.ts';
import { type Scale, scaleOf } from './scale.ts';
import { describeSegment, lookOf, tookOf } from './segment-words.ts';
import { type Segment, type Shown, segmentsUntil } from './timeline.ts';

/** A bar grows by about a pixel at a time, at most ten times a second. */
const FRAME_MS = 100;
const MAX_FRAME_MS = 1_000;
const STEPS_OF_A_BAR = 1_000;

interface GanttProps {
  segments: readonly Segment[];
  lanes: readonly string[];
  isShortened: boolean;
}

/** An order's life: a row for each step, a bar for each attempt, undo and wait. Arrow keys go from bar to bar. */
export function Gantt({ segments, lanes, isShortened }: GanttProps): ReactNode {
  const { ref, inViewport } = useInViewport<HTMLDivElement>();
  const isOpen = segments.at(-1)?.to === undefined;
  const now = usePresent(isOpen && inViewport, frameOf(segments));
  const shown = segmentsUntil(segments, now);
  const scale = scaleOf(shown, { isShortened, isGrowing: isOpen });
  const { pointed, handlers } = usePointed(shown.length);
  const current = pointed === undefined ? undefined : shown[pointed];
  const begin = shown[0]?.from ?? now;
  return (
    <div
      ref={ref}
      className={classes['chart']}
      role="slider"
      tabIndex={0}
      aria-label="Timeline; arrow keys go from bar to bar"
      aria-valuemin={1}
      aria-valuemax={Math.max(1, shown.length)}
      aria-valuenow={(pointed ?? 0) + 1}
      aria-valuetext={current ? describeSegment(current, begin) : `${shown.length} bars`}
      {...handlers}
    >
      <Grid scale={scale} present={isOpen ? shown.at(-1)?.to : undefined} />
      {lanes.map((lane) => (
        <Lane key={lane} name={lane} shown={shown} scale={scale} pointed={pointed} />
      ))}
      {current ? <GanttTip segment={current} begin={begin} lane={lanes.indexOf(current.step)} place={middleOf(current, scale)} /> : null}
    </div>
  );
}

function frameOf(segments: readonly Segment[]): number {
  const first = segments[0]?.from ?? 0;
  const last = segments.at(-1)?.from ?? first;
  return Math.min(MAX_FRAME_MS, Math.max(FRAME_MS, (last - first) / STEPS_OF_A_BAR));
}

function middleOf({ from, to }: Shown, { placeOf }: Scale): number {
  return (placeOf(from) + placeOf(to)) / 2;
}

/** Which bar the pointer or the keyboard is at. */
function usePointed(count: number) {
  const [pointed, setPointed] = useState<number | undefined>();
  const onKeyDown = (event: KeyboardEvent): void => {
    const at = pointed ?? (event.key === 'ArrowLeft' ? count : -1);
    const moves: Record<string, number> = {
      ArrowRight: at + 1,
      ArrowDown: at + 1,
      ArrowLeft: at - 1,
      ArrowUp: at - 1,
      Home: 0,
      End: count - 1,
    };
    const next = moves[event.key];
    if (event.key === 'Escape') setPointed(undefined);
    if (next === undefined) return;
    event.preventDefault();
    setPointed(Math.min(count - 1, Math.max(0, next)));
  };
  const onPointerOver = ({ target }: PointerEvent): void => {
    const bar = target instanceof Element ? target.closest('[data-bar]')?.getAttribute('data-bar') : undefined;
    setPointed(bar ? Number(bar) : undefined);
  };
  const leave = (): void => setPointed(undefined);
  return {
    pointed: pointed === undefined ? undefined : Math.min(pointed, count - 1),
    handlers: { onKeyDown, onPointerOver, onPointerDown: onPointerOver, onPointerLeave: leave, onBlur: leave },
  };
}

function Grid({ scale, present }: { scale: Scale; present: number | undefined }): ReactNode {
  return (
    <>
      <div className={classes['axis']}>
        {scale.ticks.map(({ place, label }) => (
          <span key={place} className={classes['tick']} style={leftAt(place)} data-edge={edgeOf(place)}>
            {label}
          </span>
        ))}
      </div>
      <div className={classes['lines']}>
        {scale.ticks.map(({ place }) => (
          <span key={place} className={classes['line']} style={leftAt(place)} />
        ))}
        {scale.breaks.map(({ left, right }) => (
          <span key={left} className={classes['break']} style={leftAt((left + right) / 2)} />
        ))}
        {present === undefined ? null : <span className={classes['present']} style={leftAt(scale.placeOf(present))} />}
      </div>
    </>
  );
}

function edgeOf(place: number): string | undefined {
  if (place < 0.03) return 'left';
  return place > 0.97 ? 'right' : undefined;
}

function leftAt(place: number): CSSProperties {
  return { left: `${(place * 100).toFixed(3)}%` };
}

function Lane({
  name,
  shown,
  scale,
  pointed,
}: {
  name: string;
  shown: readonly Shown[];
  scale: Scale;
  pointed: number | undefined;
}): ReactNode {
  const attempts = Math.max(0, ...shown.map(({ step, kind, attempt = 0 }) => (step === name && kind === 'running' ? attempt : 0)));
  return (
    <div className={classes['lane']}>
      <span className={classes['name']} title={name}>
        {name}
        {attempts > 1 ? <span className="faint"> ×{attempts}</span> : null}
      </span>
      <div className={classes['track']}>
        {shown.map((segment, index) =>
          segment.step === name ? (
            <Bar key={`${segment.version} ${segment.kind}`} segment={segment} index={index} scale={scale} isPointed={index === pointed} />
          ) : null,
        )}
      </div>
    </div>
  );
}

function Bar({ segment, index, scale, isPointed }: { segment: Shown; index: number; scale: Scale; isPointed: boolean }): ReactNode {
  const left = scale.placeOf(segment.from);
  const width = scale.placeOf(segment.to) - left;
  const look = lookOf(segment);
  return (
    <div
      className={classes['bar']}
      style={{ ...leftAt(left), width: `${(width * 100).toFixed(3)}%` }}
      data-bar={index}
      data-look={look}
      data-end={segment.end}
      data-pointed={isPointed || undefined}
    >
      <span className={classes['length']}>{tookOf(segment)}</span>
    </div>
  );
}
