import { useEffect, useSyncExternalStore } from 'react';
import type { OrderStatus } from '#domain/order-state.ts';

/** What `GET /events` says of one event. */
export interface LiveEvent {
  order_id: string;
  warehouse: string;
  version: number;
  kind: string;
  /** Of the order after the event. */
  status: OrderStatus;
  step_name: string;
  direction: 'forward' | 'rollback';
  at: string;
  node_id?: string;
  customer_name?: string;
  region?: string;
  symbol?: string;
}

/** `off`: nobody is signed in who may follow, or the page is hidden. */
export type LiveState = 'off' | 'connecting' | 'live' | 'lost';

type Listener = (events: readonly LiveEvent[]) => void;

/** However many events arrive, listeners are told so often at most: a person sees no more, and the page stays calm. */
const TELL_EVERY_MS = 250;
const MAX_KEPT = 20_000;
const RETRY_MS = 2_000;

/**
 * The console's one connection for events. It resumes where it was (the browser sends `Last-Event-ID`), rests while the page is
 * hidden, and gathers what comes in: listeners get it a few times a second.
 */
class LiveFeed {
  private source: EventSource | undefined;
  private state: LiveState = 'off';
  private wanted = false;
  private gathered: LiveEvent[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private readonly listeners = new Set<Listener>();
  private readonly gapListeners = new Set<() => void>();
  private readonly stateListeners = new Set<() => void>();

  start(): void {
    this.wanted = true;
    document.addEventListener('visibilitychange', this.followVisibility);
    this.followVisibility();
  }

  stop(): void {
    this.wanted = false;
    document.removeEventListener('visibilitychange', this.followVisibility);
    this.close('off');
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

  readonly readState = (): LiveState => this.state;

  private readonly followVisibility = (): void => {
    if (!this.wanted) return;
    if (document.hidden) this.close('off');
    else if (!this.source) this.open();
  };

  private open(): void {
    clearTimeout(this.retry);
    this.change('connecting');
    const source = new EventSource('/events');
    this.source = source;
    let isNew = true;
    source.onopen = () => {
      this.change('live');
      // It follows from now on: what happened since the pages were filled, or while nobody looked, is asked for.
      if (isNew) this.tellGap();
      isNew = false;
    };
    source.addEventListener('order', (message) => this.gather(JSON.parse((message as MessageEvent<string>).data) as LiveEvent));
    source.addEventListener('gap', () => this.tellGap());
    source.onerror = () => {
      this.change('lost');
      // The browser comes back by itself after a lost connection, not after an answer that is an error.
      if (source.readyState !== EventSource.CLOSED) return;
      this.source = undefined;
      this.retry = setTimeout(() => {
        if (this.wanted && !document.hidden) this.open();
      }, RETRY_MS);
    };
  }

  private close(state: LiveState): void {
    clearTimeout(this.retry);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered = [];
    this.source?.close();
    this.source = undefined;
    this.change(state);
  }

  private gather(event: LiveEvent): void {
    // A page that cannot keep up asks for the state again instead of growing.
    if (this.gathered.length >= MAX_KEPT) {
      this.gathered = [];
      this.tellGap();
    }
    this.gathered.push(event);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const events = this.gathered;
      this.gathered = [];
      for (const listener of this.listeners) listener(events);
    }, TELL_EVERY_MS);
  }

  private tellGap(): void {
    for (const listener of this.gapListeners) listener();
  }

  private change(state: LiveState): void {
    if (this.state === state) return;
    this.state = state;
    for (const listener of this.stateListeners) listener();
  }
}

export const liveFeed = new LiveFeed();

export function useLiveState(): LiveState {
  return useSyncExternalStore(liveFeed.onState, liveFeed.readState);
}

/** Calls the listener with what arrived, a few times a second at most. Keep the listener stable (`useCallback`). */
export function useLiveEvents(listener: Listener): void {
  useEffect(() => liveFeed.onEvents(listener), [listener]);
}

/** Calls the listener when events were missed. Keep it stable. */
export function useLiveGap(listener: () => void): void {
  useEffect(() => liveFeed.onGap(listener), [listener]);
}
