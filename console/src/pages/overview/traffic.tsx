import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense, useMemo } from 'react';
import type { StatisticsJson } from '#gateway/api-statistics.ts';
import { statisticsQuery } from '../../api/statistics.ts';
import { Notice, Stale } from '../../parts/notice.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { Moment } from '../../parts/time.tsx';
import { Figures } from './figures.tsx';
import classes from './overview.module.css';
import { type Range, wordsOfRange } from './ranges.ts';
import { seriesOf } from './rates.ts';

const LOOK_EVERY_MS = 5_000;
/** The library of the charts comes only with them. */
const Chart = lazy(() => import('./chart.tsx'));

/** What came and went: figures and charts of the range. */
export function Traffic({ range }: { range: Range }): ReactNode {
  const { data, error, refetch, isPlaceholderData } = useQuery({ ...statisticsQuery(range), refetchInterval: LOOK_EVERY_MS });
  if (!data && error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data)
    return (
      <div className={classes['trafficSpace']}>
        <Loading what="figures" />
      </div>
    );
  return (
    <>
      {error ? <Stale at={data.until} /> : <Missing names={data.missing_warehouses} />}
      <div className={classes['traffic']} data-old={isPlaceholderData || undefined}>
        <Figures statistics={data} range={range} />
        <Charts statistics={data} range={range} />
        <p className={`faint ${classes['counted']}`}>
          What came and ended is counted up to <Moment at={data.until} />; what waits and runs is of now.
        </p>
      </div>
    </>
  );
}

function Missing({ names }: { names: readonly string[] | undefined }): ReactNode {
  if (!names) return null;
  return (
    <Notice>
      Without {names.join(', ')}, which {names.length === 1 ? 'does' : 'do'} not answer.
    </Notice>
  );
}

function Charts({ statistics, range }: { statistics: StatisticsJson; range: Range }): ReactNode {
  const series = useMemo(() => seriesOf(statistics), [statistics]);
  const span = useMemo(
    () => ({ since: Date.parse(statistics.since) / 1_000, until: Date.parse(statistics.until) / 1_000, bucketS: statistics.bucket_s }),
    [statistics.since, statistics.until, statistics.bucket_s],
  );
  const flow = useMemo(
    () => [
      { name: 'Accepted', colour: '--state-processing', status: undefined, values: series.accepted },
      { name: 'Completed', colour: '--state-completed', status: 'completed', values: series.completed },
    ],
    [series],
  );
  const broken = useMemo(
    () => [
      { name: 'Failed', colour: '--state-failed', status: 'failed', values: series.failed },
      { name: 'Cancelled', colour: '--state-cancelled', status: 'cancelled', values: series.cancelled },
    ],
    [series],
  );
  const last = `the last ${wordsOfRange(range)}`;
  return (
    <div className={classes['charts']}>
      <Suspense fallback={<div className={`panel ${classes['chartSpace']}`} />}>
        <Chart title="In and out" last={last} range={range} at={series.at} span={span} lines={flow} />
      </Suspense>
      <Suspense fallback={<div className={`panel ${classes['chartSpace']}`} />}>
        <Chart title="Failed and cancelled" last={last} range={range} at={series.at} span={span} lines={broken} />
      </Suspense>
    </div>
  );
}
