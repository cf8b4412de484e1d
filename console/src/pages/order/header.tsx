import type { ReactNode } from 'react';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import type { StreamState } from '../../api/event-stream.ts';
import { capitalise, formatDuration } from '../../format.ts';
import { Copy } from '../../parts/copy.tsx';
import { Status } from '../../parts/status.tsx';
import { StreamMark } from '../../parts/stream-mark.tsx';
import { Ago, useNow } from '../../parts/time.tsx';
import { OrderFacts } from './facts.tsx';
import classes from './order.module.css';
import { standingOf } from './sentence.ts';
import { type Segment, segmentsUntil } from './timeline.ts';

interface HeaderProps {
  order: OrderViewJson;
  events: readonly EventJson[];
  segments: readonly Segment[];
  stream: StreamState;
}

/** How the order stands, in words, and what is known of it. */
export function Header({ order, events, segments, stream }: HeaderProps): ReactNode {
  const now = useNow();
  const shown = segmentsUntil(segments, now);
  const last = shown.at(-1);
  const present = last?.end === 'open' ? last : undefined;
  const { says, because, until } = standingOf(order, events, present);
  return (
    <section className={`panel ${classes['panel']}`} aria-label="How it stands">
      <div className={classes['id']}>
        <span className="mono">{order.order_id}</span>
        <Copy text={order.order_id} label="Copy the id" />
        <span className={classes['stream']}>
          <StreamMark state={stream}>{STREAM_WORDS[stream]}</StreamMark>
        </span>
      </div>
      <p className={classes['standing']}>
        <span role="status">
          <Status status={order.status} /> <span>{says}</span>
        </span>{' '}
        {present && present.to - present.from >= 1_000 ? (
          <span className="faint number">for {formatTicking(present.to - present.from)}</span>
        ) : null}
      </p>
      {because ? (
        <p className={classes['because']}>
          <span className="foreign">{capitalise(because)}</span>
          {until && Date.parse(until) > now ? (
            <strong>
              {' '}
              <Ago at={until} />
            </strong>
          ) : null}
        </p>
      ) : null}
      <OrderFacts order={order} events={events} shown={shown} />
    </section>
  );
}

/** What is shown anew once a second needs no fractions of one. */
function formatTicking(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1_000)} s` : formatDuration(ms);
}

const STREAM_WORDS: Partial<Record<StreamState, string>> = {
  live: 'Live',
  lost: 'Connection lost: what you see may be old; it goes on by itself',
};
