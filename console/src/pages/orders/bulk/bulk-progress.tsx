import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { post } from '../../../api/client.ts';
import { formatCount } from '../../../format.ts';
import { Failure } from '../../../parts/states.tsx';
import { Ago } from '../../../parts/time.tsx';
import { printQuery, queryOfFilter } from '../query/query.ts';
import classes from './bulk.module.css';
import { BULK_KEY, type BulkJson, bulkOneQuery, VERBS } from './bulk.ts';

/** How far an action on many orders is; whoever watches may stop it. */
export function BulkProgress({ operation }: { operation: BulkJson }): ReactNode {
  const { data } = useQuery(bulkOneQuery(operation));
  const { bulk_id: id, action, state, matching, done, started_at: startedAt, by, reason, filter } = data;
  const isRunning = state === 'running';
  const q = printQuery(queryOfFilter(filter));
  const title = `${isRunning ? VERBS[action].doing : VERBS[action].verb} ${q}`;
  return (
    <section aria-label={title}>
      <div className={classes['operation']}>
        <strong>{isRunning ? VERBS[action].doing : `${VERBS[action].verb} · ${state}`}</strong>
        <Link to="/ui/orders" search={{ q }} className="mono foreign">
          {q}
        </Link>
        <progress value={done} max={Math.max(matching, done, 1)} aria-label={`${title}: how far`} />
        <span className="number" role="status">
          {sayResult(data)}
        </span>
        {isRunning ? <Stop id={id} /> : null}
      </div>
      <div className="faint">
        <Ago at={startedAt} /> by {by}
        {reason === undefined ? null : (
          <>
            : <span className="foreign">{reason}</span>
          </>
        )}
      </div>
    </section>
  );
}

function sayResult({ action, matching, done, succeeded, refused, failed }: BulkJson): string {
  const parts = [`${formatCount(done)} of ${formatCount(Math.max(matching, done))}`, `${formatCount(succeeded)} ${VERBS[action].done}`];
  if (refused > 0) parts.push(`${formatCount(refused)} refused: no longer in a state for it`);
  if (failed > 0) parts.push(`${formatCount(failed)} failed`);
  return parts.join(' · ');
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
