import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { StatisticsJson } from '#gateway/api-statistics.ts';
import { formatCount, formatDuration, formatPrice, formatRate, formatShort } from '../../format.ts';
import { Ago } from '../../parts/time.tsx';
import classes from './overview.module.css';
import { type Range, wordsOfRange } from './ranges.ts';
import { endedOf, flowNow, formatShare, wordsOfFlow } from './rates.ts';

const MANY = 1_000;

/** The figures of the range; each is the way to the orders behind it. */
export function Figures({ statistics, range }: { statistics: StatisticsJson; range: Range }): ReactNode {
  const { totals, waiting, running, needs_attention: stopped } = statistics;
  const flow = flowNow(statistics);
  const when = wordsOfFlow(flow);
  const since = `since:${range}`;
  const ended = endedOf(totals);
  return (
    <dl className={`panel ${classes['figures']}`} aria-label={`Figures of the last ${wordsOfRange(range)}`}>
      <Figure name={`In ${when}`} search={since} note={`${formatShort(totals.accepted)} accepted in ${range}`}>
        {flow ? formatRate(flow.in) : '–'}
        <small>/s</small>
      </Figure>
      <Figure name={`Out ${when}`} search={`status:completed ${since}`} note={`${formatShort(ended)} ended in ${range}`}>
        {flow ? formatRate(flow.out) : '–'}
        <small>/s</small>
      </Figure>
      <Figure name="Completed" search={`status:completed ${since}`} note={`${formatShare(totals.completed, ended)} of what ended`}>
        {formatShort(totals.completed)}
      </Figure>
      <Figure
        name="Failed"
        search={`status:failed ${since}`}
        note={`${formatShare(totals.failed, ended)} of what ended`}
        state={totals.failed > 0 ? 'failed' : undefined}
      >
        {formatShort(totals.failed)}
      </Figure>
      <Figure name="Cancelled" search={`status:cancelled ${since}`} note={`${formatShare(totals.cancelled, ended)} of what ended`}>
        {formatShort(totals.cancelled)}
      </Figure>
      <Figure name="Waiting" search="status:queued" note={<Oldest waiting={waiting} />}>
        {formatShort(waiting.orders)}
      </Figure>
      <Figure name="Running" search="status:processing" note="now">
        {formatShort(running)}
      </Figure>
      <Figure name="Need a person" search="status:needs_attention" note="now" state={stopped > 0 ? 'needs_attention' : undefined}>
        {stopped >= MANY ? `${formatCount(MANY)}+` : formatCount(stopped)}
      </Figure>
      <Durations statistics={statistics} search={`status:completed ${since}`} />
      <Prices prices={statistics.execution_price} />
    </dl>
  );
}

interface FigureProps {
  name: string;
  /** What the orders page is asked for. */
  search: string;
  note: ReactNode;
  state?: string | undefined;
  children: ReactNode;
}

function Figure({ name, search, note, state, children }: FigureProps): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Link to="/ui/orders" search={{ q: search }} className={`number ${classes['value']}`} data-state={state}>
          {children}
        </Link>
        <span className={`faint number ${classes['note']}`}>{note}</span>
      </dd>
    </div>
  );
}

function Oldest({ waiting: { oldest } }: Pick<StatisticsJson, 'waiting'>): ReactNode {
  if (!oldest) return 'none waits';
  return (
    <>
      the oldest:{' '}
      <Link to="/ui/orders/$id" params={{ id: oldest.order_id }} title={`${oldest.order_id} in ${oldest.warehouse}`}>
        <Ago at={oldest.since} />
      </Link>
    </>
  );
}

function Durations({ statistics: { time_to_completion_ms: times }, search }: { statistics: StatisticsJson; search: string }): ReactNode {
  const percentiles = [
    ['p50', times?.p50],
    ['p95', times?.p95],
    ['p99', times?.p99],
  ] as const;
  return (
    <div className={classes['wide']}>
      <dt title="Each to within 5 %">Time to completion</dt>
      <dd className={classes['percentiles']}>
        {percentiles.map(([name, ms]) => (
          <span key={name}>
            <Link to="/ui/orders" search={{ q: search }} className={`number ${classes['value']}`}>
              {ms === undefined ? '–' : formatDuration(ms)}
            </Link>
            <span className={`faint ${classes['note']}`}>{name}</span>
          </span>
        ))}
      </dd>
    </div>
  );
}

function Prices({ prices: { total, average } }: { prices: StatisticsJson['execution_price'] }): ReactNode {
  return (
    <div className={classes['wide']}>
      <dt>Execution price</dt>
      <dd>
        <Link to="/ui/orders" search={{ q: 'status:completed' }} className={`number ${classes['value']}`} title={total}>
          {formatPrice(total)}
        </Link>
        <span className={`faint number ${classes['note']}`} title={average}>
          {formatPrice(average)} on average, of all orders ever completed
        </span>
      </dd>
    </div>
  );
}
