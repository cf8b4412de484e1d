import { PassThrough } from 'node:stream';
import { ConveyorError } from '#domain/errors.ts';
import type { Clock, Timer } from '#engine/clock.ts';
import { comparePlaces, type OutboxPlace } from '#engine/outbox.ts';
import type { GapJson } from '../api-live.ts';
import { COMMENT_EVERY_MS } from '../server-sent-events.ts';
import { isWanted, type LiveFilter, type LivePage } from './message.ts';
import { encodePlaces } from './place-id.ts';

/** Whoever has more than this unread is told nothing more, ... */
const MAX_UNREAD_BYTES = 256 * 1024;
/** ... until it has read on so far. */
const READ_ON_BYTES = 64 * 1024;

export interface FollowerOptions {
  clock: Clock;
  filter: LiveFilter;
  /** Rejects when whoever follows may not any more. */
  checkAccess: () => Promise<unknown>;
}

/** One who follows: where it stands in each warehouse, and what it is told from there on. */
export class Follower {
  readonly stream = new PassThrough();
  private readonly options: FollowerOptions;
  private readonly places = new Map<string, OutboxPlace>();
  /** Something was skipped, and it was not told so yet. */
  private gap: GapJson['reason'] | undefined;
  private beats: Timer | undefined;

  constructor(options: FollowerOptions) {
    this.options = options;
    this.stream.once('close', () => this.beats?.cancel());
  }

  /** It is read as fast as is written. */
  get hasRoom(): boolean {
    return this.unreadBytes <= READ_ON_BYTES;
  }

  placeIn(warehouse: string): OutboxPlace | undefined {
    return this.places.get(warehouse);
  }

  standAt(warehouse: string, place: OutboxPlace): void {
    this.places.set(warehouse, place);
  }

  /** Goes on from there; it is told that something is missing. */
  skipTo(warehouse: string, place: OutboxPlace, reason: GapJson['reason']): void {
    this.places.set(warehouse, place);
    this.gap ??= reason;
  }

  /** It stands where it begins: from now on it misses nothing, and whoever loses the connection can come back to here. */
  open(): void {
    this.write(`retry: 1000\nid: ${encodePlaces(this.places)}\n\n${this.takeGap()}`);
    this.nextBeat();
  }

  /** What it wants of a page, as far as it was not told before. */
  tell(warehouse: string, { from, events, next }: LivePage): void {
    const own = this.places.get(warehouse) ?? from;
    const isAhead = comparePlaces(own, from) > 0;
    const news = events.filter((event) => isWanted(event, this.options.filter) && !(isAhead && comparePlaces(event.place, own) <= 0));
    if (news.length > 0 && this.unreadBytes > MAX_UNREAD_BYTES) this.gap ??= 'too_slow';
    this.places.set(warehouse, own);
    let text = this.takeGap();
    if (this.gap === undefined) {
      for (const event of news) {
        this.places.set(warehouse, event.place);
        text += `id: ${encodePlaces(this.places)}\n${event.text}`;
      }
    }
    if (!isAhead || comparePlaces(next, own) > 0) this.places.set(warehouse, next);
    if (text !== '') this.write(text);
  }

  end(): void {
    this.beats?.cancel();
    this.stream.end();
  }

  private get unreadBytes(): number {
    return this.stream.writableLength + this.stream.readableLength;
  }

  /** The message that something was skipped, once it can be read. */
  private takeGap(): string {
    if (this.gap === undefined || !this.hasRoom) return '';
    const data = JSON.stringify({ reason: this.gap } satisfies GapJson);
    this.gap = undefined;
    return `id: ${encodePlaces(this.places)}\nevent: gap\ndata: ${data}\n\n`;
  }

  private nextBeat(): void {
    if (this.stream.writable) this.beats = this.options.clock.after(COMMENT_EVERY_MS, () => this.beat());
  }

  /** Also says where it stands: who is told nothing for long must not find that too old when it comes back. */
  private beat(): void {
    if (this.unreadBytes <= MAX_UNREAD_BYTES) this.write(`: still here\nid: ${encodePlaces(this.places)}\n\n`);
    this.options.checkAccess().catch((error: unknown) => {
      if (error instanceof ConveyorError && error.code === 'unauthorized') this.end();
    });
    this.nextBeat();
  }

  private write(text: string): void {
    if (this.stream.writable) this.stream.write(text);
  }
}
