import { Button, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { DEFAULT_PACE_MS, PACE_RANGE, parsePace } from '#domain/generator-pace.ts';
import { formatDuration } from '#domain/time.ts';
import type { GeneratorJson } from '#gateway/api-generator.ts';
import { get, post } from '../../api/client.ts';
import { formatCount } from '../../format.ts';
import { Fact, Facts } from '../../parts/facts.tsx';
import { OrderLink } from '../../parts/order-link.tsx';
import { Failure, Loading } from '../../parts/states.tsx';
import { Ago, Moment } from '../../parts/time.tsx';
import classes from './generator.module.css';

const LOOK_EVERY_MS = 2_000;
/** Below this pace the next order is due before one could read when. */
const READABLE_PACE_MS = 2_000;
const KEY = ['generator'];

/** The cluster's one generator, whoever started it. */
export function OrderGenerator(): ReactNode {
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => get<GeneratorJson>('/generator', { signal }),
    refetchInterval: LOOK_EVERY_MS,
  });
  return (
    <section className={`panel ${classes['panel']}`} aria-labelledby="generator-orders">
      <Stack gap="sm">
        <Title order={2} id="generator-orders">
          Orders at a steady pace
        </Title>
        <Text className="faint">One generator in the cluster places small random orders; whichever gateway runs goes on with it.</Text>
        {error ? <Failure error={error} onRetry={() => void refetch()} /> : null}
        {data ? (
          <>
            <State generator={data} />
            <Controls key={data.every ?? ''} generator={data} />
          </>
        ) : error ? null : (
          <Loading what="the generator" />
        )}
      </Stack>
    </section>
  );
}

function State({ generator }: { generator: GeneratorJson }): ReactNode {
  const { running, every, started_at: startedAt, changed_by: changedBy, placed, last_order_id: lastId, last_at: lastAt } = generator;
  return (
    <Facts>
      <Fact name="State">
        <span className="state" data-state={running ? 'processing' : 'held'} role="status">
          {running ? `Running, every ${every}` : startedAt ? 'Stopped' : 'Never started'}
        </span>
      </Fact>
      {startedAt ? (
        <Fact name="Started">
          <Moment at={startedAt} />
        </Fact>
      ) : null}
      {changedBy ? (
        <Fact name={running ? 'Started by' : 'Stopped by'}>
          <span className="foreign">{changedBy}</span>
        </Fact>
      ) : null}
      {startedAt ? <Fact name="Orders placed">{formatCount(placed ?? 0)}</Fact> : null}
      {lastId ? (
        <Fact name="Last order">
          <OrderLink id={lastId} /> {lastAt ? <Ago at={lastAt} /> : null}
        </Fact>
      ) : null}
      {running ? <NextDue generator={generator} /> : null}
    </Facts>
  );
}

function NextDue({ generator: { every = '', next_at: nextAt, holder } }: { generator: GeneratorJson }): ReactNode {
  if (!holder) return <Fact name="Next due">as soon as a gateway takes it up</Fact>;
  if (!nextAt || (parsePace(every) ?? 0) < READABLE_PACE_MS) return <Fact name="Next due">all the time</Fact>;
  return (
    <Fact name="Next due">
      <Ago at={nextAt} />
    </Fact>
  );
}

function Controls({ generator: { running, every = formatDuration(DEFAULT_PACE_MS) } }: { generator: GeneratorJson }): ReactNode {
  const client = useQueryClient();
  const [text, setText] = useState(every);
  const onSuccess = (after: GeneratorJson): void => void client.setQueryData(KEY, after);
  const start = useMutation({ mutationFn: () => post<GeneratorJson>('/generator/start', { body: { every: text.trim() } }), onSuccess });
  const stop = useMutation({ mutationFn: () => post<GeneratorJson>('/generator/stop'), onSuccess });
  const isSound = parsePace(text) !== undefined;
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault();
    if (isSound) start.mutate();
  };
  const error = start.error ?? stop.error;
  return (
    <form onSubmit={onSubmit} noValidate>
      <Group gap="sm" align="flex-end">
        <TextInput
          label="An order every"
          description="Such as 2s, 250ms, 1m"
          className={classes['field']}
          value={text}
          autoComplete="off"
          spellCheck={false}
          error={isSound ? undefined : `A duration ${PACE_RANGE}`}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <Button type="submit" size="sm" loading={start.isPending} disabled={!isSound || (running && text.trim() === every)}>
          {running ? 'Change the pace' : 'Start'}
        </Button>
        <Button variant="default" size="sm" loading={stop.isPending} disabled={!running} onClick={() => stop.mutate()}>
          Stop
        </Button>
      </Group>
      {error ? <Failure error={error} /> : null}
    </form>
  );
}
