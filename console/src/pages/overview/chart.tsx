import 'uplot/dist/uPlot.min.css';
import { Title } from '@mantine/core';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useCallback, useId, useState } from 'react';
import { formatClock, formatRate } from '../../format.ts';
import { describeLines, type Line, type Span } from './chart-words.ts';
import classes from './overview.module.css';
import type { Range } from './ranges.ts';
import { usePlot } from './use-plot.ts';

interface ChartProps {
  title: string;
  last: string;
  range: Range;
  /** Seconds since the epoch. */
  at: number[];
  span: Span;
  lines: readonly Line[];
}

/** Lines over time. Its legend says the values, of the moment under the pointer or the latest; a click opens the orders of that moment. */
export default function Chart({ title, last, range, at, span, lines }: ChartProps): ReactNode {
  const [pointed, setPointed] = useState<number>();
  const navigate = useNavigate();
  const headingId = useId();
  const openOrders = useCallback(
    (since: number, until: number) => {
      const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString();
      void navigate({ to: '/ui/orders', search: { q: `since:${iso(since)} until:${iso(until)}` } });
    },
    [navigate],
  );
  const canvas = usePlot({ at, span, lines, onPoint: setPointed, onOpen: openOrders });
  const shown = pointed ?? at.length - 1;
  const moment = at[shown];
  return (
    <section className={`panel ${classes['chart']}`} aria-labelledby={headingId}>
      <div className={classes['chartHead']}>
        <Title order={2} id={headingId}>
          {title}
        </Title>
        <ul className={classes['legend']}>
          {lines.map(({ name, colour, status, values }, index) => (
            <li key={name}>
              <Link to="/ui/orders" search={{ q: `${status ? `status:${status} ` : ''}since:${range}` }}>
                <span className={classes['swatch']} data-dashed={index > 0 || undefined} style={{ borderColor: `var(${colour})` }} />
                {name}
              </Link>{' '}
              <span className="number">{formatRate(values[shown] ?? 0)}/s</span>
            </li>
          ))}
          <li className="faint number">
            {pointed === undefined || moment === undefined ? 'latest' : formatClock(new Date(moment * 1_000).toISOString())}
          </li>
        </ul>
      </div>
      <div ref={canvas} className={classes['canvas']} role="img" aria-label={describeLines(title, last, lines)} />
    </section>
  );
}
