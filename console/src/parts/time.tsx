import { type ReactNode, useSyncExternalStore } from 'react';
import { gatewayNow } from '../api/gateway-clock.ts';
import { formatAgo, formatClock } from '../format.ts';

/** One clock for all relative times of the page. */
const TICK_MS = 1_000;
let now = gatewayNow();
let timer: ReturnType<typeof setInterval> | undefined;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = gatewayNow();
    for (const tell of listeners) tell();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** While nobody listened the clock stood still: the first one sees the present, not the moment of the last tick. */
function readNow(): number {
  if (timer === undefined && Math.abs(gatewayNow() - now) > TICK_MS) now = gatewayNow();
  return now;
}

/** The present, once a second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, readNow);
}

/** A moment in the reader's zone, in UTC on hover. */
export function Moment({ at }: { at: string }): ReactNode {
  return <Time at={at}>{formatClock(at)}</Time>;
}

/** How long ago a moment was; the moment itself in UTC on hover. */
export function Ago({ at }: { at: string }): ReactNode {
  return <Time at={at}>{formatAgo(useNow() - Date.parse(at))}</Time>;
}

function Time({ at, children }: { at: string; children: string }): ReactNode {
  return (
    <time dateTime={at} title={`${at.replace('T', ' ').replace('Z', '')} UTC`} className="number">
      {children}
    </time>
  );
}
