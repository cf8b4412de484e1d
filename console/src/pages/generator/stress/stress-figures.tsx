import { Progress, Stack, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Percentiles } from '#domain/percentiles.ts';
import { formatCount, formatDuration, formatRate } from '../../../format.ts';
import { Fact, Facts } from '../../../parts/facts.tsx';
import classes from '../generator.module.css';
import type { StressState } from './stress-run.ts';

/** How far the run is, and what it measured. */
export function StressFigures({ run }: { run: StressState }): ReactNode {
  const { orders, accepted, refused, ended, lost, ends } = run;
  return (
    <Stack gap="sm">
      <Text role="status">{sentenceOf(run)}</Text>
      <Bar label="Submitted" value={accepted + refused} of={orders} />
      <Bar label="Ended" value={ended + lost} of={accepted} />
      <Facts>
        <Fact name="Accepted">
          {formatCount(accepted)}, {formatRate(run.acceptedPerS)}/s
        </Fact>
        <Fact name="Ended">
          {formatCount(ended)}, {formatRate(run.endedPerS)}/s
        </Fact>
        <Fact name="Completed">{formatCount(ends.completed)}</Fact>
        <Fact name="Failed and rolled back">{formatCount(ends.failed)}</Fact>
        {ends.cancelled > 0 ? <Fact name="Cancelled">{formatCount(ends.cancelled)}</Fact> : null}
        {ends.needs_attention > 0 ? <Fact name="Need attention">{formatCount(ends.needs_attention)}</Fact> : null}
        <Fact name="Under way">{formatCount(run.open)}</Fact>
        <Fact name="Lost">{formatCount(lost)}</Fact>
        <Fact name="Not accepted">{formatCount(refused)}</Fact>
        <Fact name="Asked to wait (503)">{formatCount(run.waits)}</Fact>
        <Fact name="Sent again">{formatCount(run.repeats)}</Fact>
        <Fact name="Time">{formatDuration(run.elapsedMs)}</Fact>
      </Facts>
      <Times run={run} />
      {run.refusals.map(({ reason, count }) => (
        <Text key={reason} className="foreign">
          {formatCount(count)} not accepted: {reason}
        </Text>
      ))}
      <Link to="/ui/orders" search={{ q: `customer:${run.name}` }}>
        Orders of this run
      </Link>
    </Stack>
  );
}

/** Said once for each phase: a reader that speaks would not come to an end otherwise. */
function sentenceOf({ phase, isAborted, name, orders, concurrency, accepted, ended, open, lost, refused, ends }: StressState): string {
  const what = `${name}: ${formatCount(orders)} orders, ${concurrency} at once`;
  if (phase === 'submitting') return isAborted ? `${what}. Aborted: the last answers are awaited.` : `${what}. Placing them …`;
  if (phase === 'following')
    return `${what}. ${isAborted ? 'Aborted; what was placed' : 'All are placed; what is under way'} is followed to its end …`;
  if (open > 0) return `${what}. Followed no more: ${formatCount(open)} are still under way in the cluster.`;
  const isSound = lost === 0 && refused === 0 && ends.needs_attention === 0;
  const how = isAborted ? `Aborted after ${formatCount(accepted + refused)}` : 'Done';
  return `${what}. ${how}${isSound ? `: all ${formatCount(ended)} ended, none was lost.` : ', with what is said below.'}`;
}

function Bar({ label, value, of }: { label: string; value: number; of: number }): ReactNode {
  const share = of === 0 ? 0 : (value / of) * 100;
  return (
    <div>
      <Text className="number">
        {label}: {formatCount(value)} of {formatCount(of)}
      </Text>
      <Progress.Root size="md" transitionDuration={0}>
        <Progress.Section value={share} aria-label={label} />
      </Progress.Root>
    </div>
  );
}

function Times({ run: { answerMs, completionMs } }: { run: StressState }): ReactNode {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: without it the keyboard could not scroll it.
    <section className={classes['scroll']} aria-label="Times" tabIndex={0}>
      <table className={classes['figures']}>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">p50</th>
            <th scope="col">p95</th>
            <th scope="col">p99</th>
            <th scope="col">most</th>
          </tr>
        </thead>
        <tbody>
          <TimeRow label="To the answer (accepted)" times={answerMs} />
          <TimeRow label="To the end" times={completionMs} />
        </tbody>
      </table>
    </section>
  );
}

function TimeRow({ label, times }: { label: string; times: Percentiles | null }): ReactNode {
  return (
    <tr>
      <th scope="row">{label}</th>
      {(['p50', 'p95', 'p99', 'max'] as const).map((name) => (
        <td key={name}>{times ? formatDuration(times[name]) : '–'}</td>
      ))}
    </tr>
  );
}
