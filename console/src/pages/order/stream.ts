import { useEffect, useState } from 'react';
import { EVENT_KINDS, type EventKind, isTerminal } from '#domain/order-state.ts';
import type { EventJson } from '#gateway/api.ts';

/** `off`: nothing more comes, or the page is hidden. */
export type StreamState = 'off' | 'connecting' | 'live' | 'lost';

type Take = (news: readonly EventJson[]) => void;

const GATHER_MS = 40;
const RETRY_MS = 2_000;

/** Follows an order's events while it is wanted and seen. A lost stream goes on after the last event that came. Keep `take` stable. */
export function useOrderStream(id: string, isWanted: boolean, take: Take): StreamState {
  const [state, setState] = useState<StreamState>('off');
  useEffect(() => {
    if (!isWanted) return;
    const stream = new OrderStream(`/orders/${encodeURIComponent(id)}/events`, take, setState);
    return () => stream.close();
  }, [id, isWanted, take]);
  return state;
}

class OrderStream {
  private readonly path: string;
  private readonly take: Take;
  private readonly tell: (state: StreamState) => void;
  private source: EventSource | undefined;
  private gathered: EventJson[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(path: string, take: Take, tell: (state: StreamState) => void) {
    this.path = path;
    this.take = take;
    this.tell = tell;
    document.addEventListener('visibilitychange', this.followVisibility);
    this.followVisibility();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.followVisibility);
    this.rest();
  }

  /** A browser keeps few connections to one gateway: pages that nobody sees leave theirs to others. */
  private readonly followVisibility = (): void => {
    if (document.hidden) this.rest();
    else if (!this.source) this.open();
  };

  private rest(): void {
    clearTimeout(this.retry);
    clearTimeout(this.timer);
    this.timer = undefined;
    this.gathered = [];
    this.source?.close();
    this.source = undefined;
    this.tell('off');
  }

  private open(): void {
    this.tell('connecting');
    const source = new EventSource(this.path);
    this.source = source;
    source.onopen = () => this.tell('live');
    for (const kind of EVENT_KINDS) source.addEventListener(kind, (message) => this.gather(message as MessageEvent<string>));
    source.onerror = () => {
      this.tell('lost');
      // The browser comes back by itself after a lost connection, not after an answer that is an error.
      if (source.readyState !== EventSource.CLOSED) return;
      this.retry = setTimeout(() => this.open(), RETRY_MS);
    };
  }

  private gather({ data }: MessageEvent<string>): void {
    const event = JSON.parse(data) as EventJson;
    this.gathered.push(event);
    if (isTerminal(event.kind as EventKind)) this.source?.close();
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const news = this.gathered;
      this.gathered = [];
      this.take(news);
    }, GATHER_MS);
  }
}
