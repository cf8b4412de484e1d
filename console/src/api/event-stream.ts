/** `off`: nothing is followed, or the page is hidden. */
export type StreamState = 'off' | 'connecting' | 'live' | 'lost';

export interface Followed<Event> {
  path: string;
  /** The names of its events. */
  kinds: readonly string[];
  /** However many events arrive, they are handed on so often at most: a person sees no more, and the page stays calm. */
  everyMs: number;
  take: (events: readonly Event[]) => void;
  tell: (state: StreamState) => void;
  /** Events were missed. Absent for a stream that begins anew with all there were. */
  onGap?: () => void;
  /** Nothing comes after it. */
  isLast?: (event: Event) => boolean;
}

const MAX_GATHERED = 20_000;
const RETRY_MS = 2_000;

/**
 * Follows a stream of events until it is closed. It resumes where it was (the browser sends `Last-Event-ID`), gathers what comes
 * in, and rests while the page is hidden: a browser keeps few connections to one gateway.
 */
export class EventStream<Event> {
  private readonly followed: Followed<Event>;
  private source: EventSource | undefined;
  private gathered: Event[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(followed: Followed<Event>) {
    this.followed = followed;
    document.addEventListener('visibilitychange', this.followVisibility);
    this.followVisibility();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.followVisibility);
    this.rest();
  }

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
    this.followed.tell('off');
  }

  private open(): void {
    clearTimeout(this.retry);
    const { path, kinds, tell, onGap } = this.followed;
    tell('connecting');
    const source = new EventSource(path);
    this.source = source;
    let isNew = true;
    source.onopen = () => {
      tell('live');
      // It follows from now on: what happened since the pages were filled, or while nobody looked, is asked for.
      if (isNew) onGap?.();
      isNew = false;
    };
    for (const kind of kinds) source.addEventListener(kind, ({ data }: MessageEvent<string>) => this.gather(JSON.parse(data) as Event));
    if (onGap) source.addEventListener('gap', onGap);
    source.onerror = () => {
      tell('lost');
      // The browser comes back by itself after a lost connection, not after an answer that is an error.
      if (source.readyState !== EventSource.CLOSED) return;
      this.source = undefined;
      this.retry = setTimeout(() => this.open(), RETRY_MS);
    };
  }

  private gather(event: Event): void {
    const { everyMs, take, onGap, isLast } = this.followed;
    // A page that cannot keep up asks for the state again instead of growing.
    if (onGap && this.gathered.length >= MAX_GATHERED) {
      this.gathered = [];
      onGap();
    }
    this.gathered.push(event);
    if (isLast?.(event)) this.source?.close();
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      const events = this.gathered;
      this.gathered = [];
      take(events);
    }, everyMs);
  }
}
