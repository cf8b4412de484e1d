import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { BulkViewJson } from '#gateway/api-bulk.ts';
import { post } from '../../../api/client.ts';
import { formatCount } from '../../../format.ts';
import { Failure } from '../../../parts/states.tsx';
import { Ago } from '../../../parts/time.tsx';
import { printQuery, queryOfFilter } from '../query/query.ts';
import classes from './bulk.module.css';
import { BULK_KEY, bulkOneQuery, VERBS } from './bulk.ts';

/** How far an action on many orders is; whoever watches may stop it. `children`: what else can be done here. */
export function BulkProgress({ operation, children }: { operation: BulkViewJson; children?: ReactNode }): ReactNode {
  const { data } = useQuery(bulkOneQuery(operation));
  const { bulk_id: id, action, state, matching, done, started_at: startedAt, by, reason, filter } = data;
  const isRunning = state === 'running';
  const q = printQuery(queryOfFilter(filter));
  return (
    <section className={classes['operation']} aria-label={`${VERBS[action].verb} ${q}`}>
      <div className={classes['head']}>
        <strong>{isRunning ? VERBS[action].doing : `${VERBS[action].verb}: ${state}`}</strong>
        <Link to="/ui/orders" search={{ q }} className="mono foreign">
          {q}
        </Link>
        <span className="faint">
          <Ago at={startedAt} /> by <span className="foreign">{by}</span>
          {reason === undefined ? null : (
            <>
              : <span className="foreign">{reason}</span>
            </>
          )}
        </span>
      </div>
      <div className={classes['head']}>
        <progress value={done} max={Math.max(matching, done, 1)} aria-label={`${VERBS[action].verb} ${q}: how far`} />
        <span className="number" role="status">
          {sayProgress(data)}
        </span>
        {isRunning ? <Stop id={id} /> : null}
        {children}
      </div>
    </section>
  );
}

function sayProgress(operation: BulkViewJson): string {
  const { action, matching, done, succeeded, refused, failed, stopped_by: stoppedBy } = operation;
  const all = operation.matching_is_lower_bound ? `at least ${formatCount(matching)}` : formatCount(Math.max(matching, done));
  return [
    `${formatCount(done)} of ${all}`,
    `${formatCount(succeeded)} ${VERBS[action].done}`,
    ...(refused > 0 ? [`${formatCount(refused)} refused, as they had moved on`] : []),
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(stoppedBy === undefined ? [] : [`stopped by ${stoppedBy}`]),
  ].join(' · ');
}

function Stop({ id }: { id: string }): ReactNode {
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: () => post(`/orders/bulk/${id}/stop`),
    onSuccess: () => client.invalidateQueries({ queryKey: [...BULK_KEY, id] }),
  });
  return (
    <>
      <Button variant="default" size="compact-xs" loading={stop.isPending} onClick={() => stop.mutate()}>
        Stop
      </Button>
      {stop.error ? <Failure error={stop.error} /> : null}
    </>
  );
}
