import { useEffect, useSyncExternalStore } from 'react';
import type { LiveEventJson } from '#gateway/api-live.ts';
import { EventStream, type StreamState } from './event-stream.ts';

/** What `GET /events` says of one event; a newer gateway may tell of kinds that this page does not know. */
export type LiveEvent = Omit<LiveEventJson, 'kind'> & { kind: string };

type Listener = (events: readonly LiveEvent[]) => void;

const TELL_EVERY_MS = 250;

/** The console's one stream of all orders' events, for whatever of the page listens. */
class LiveFeed {
  private stream: EventStream<LiveEvent> | undefined;
  private state: StreamState = 'off';
  private readonly listeners = new Set<Listener>();
  private readonly gapListeners = new Set<() => void>();
  private readonly stateListeners = new Set<() => void>();

  start(): void {
    this.stream ??= new EventStream({
      path: '/events',
      kinds: ['order'],
      everyMs: TELL_EVERY_MS,
      take: (events) => {
        for (const listener of this.listeners) listener(events);
      },
      tell: (state) => this.change(state),
      onGap: () => {
        for (const listener of this.gapListeners) listener();
      },
    });
  }

  stop(): void {
    this.stream?.close();
    this.stream = undefined;
  }

  /** Everything that arrived since the last call, oldest first. */
  onEvents(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** Events were missed: whoever shows a state must ask for it again. */
  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener);
    return () => void this.gapListeners.delete(listener);
  }

  readonly onState = (listener: () => void): (() => void) => {
    this.stateListeners.add(listener);
    return () => void this.stateListeners.delete(listener);
  };

  readonly readState = (): StreamState => this.state;

  private change(state: StreamState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.stateListeners) listener();
  }
}

export const liveFeed = new LiveFeed();

export function useLiveState(): StreamState {
  return useSyncExternalStore(liveFeed.onState, liveFeed.readState);
}

/** Calls the listener with what arrived, a few times a second at most. Keep the listener stable (`useCallback`). */
export function useLiveEvents(listener: Listener): void {
  useEffect(() => liveFeed.onEvents(listener), [listener]);
}
