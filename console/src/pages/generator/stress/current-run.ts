import { useSyncExternalStore } from 'react';
import { gatewayDoors } from './doors.ts';
import { type StressOptions, StressRun, type StressState } from './stress-run.ts';

/** The run of this page, or its last one: its figures stay until the next, whatever page is looked at meanwhile. */

/** A person sees no more, and the run has the rest of the time. */
const SHOW_EVERY_MS = 250;
const NAME_BYTES = 4;

let run: StressRun | undefined;
let shown: StressState | undefined;
const listeners = new Set<() => void>();

export function startRun(options: StressOptions): void {
  run?.stop();
  const started = new StressRun(newName(), options, gatewayDoors);
  run = started;
  show();
  const timer = setInterval(show, SHOW_EVERY_MS);
  void started.run().finally(() => {
    clearInterval(timer);
    if (run === started) show();
  });
}

export function abortRun(): void {
  run?.abort();
  show();
}

export function stopRun(): void {
  run?.stop();
  show();
}

export function useStress(): StressState | undefined {
  return useSyncExternalStore(subscribe, () => shown);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function show(): void {
  shown = run?.state;
  for (const tell of listeners) tell();
}

function newName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(NAME_BYTES));
  return `stress-${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
