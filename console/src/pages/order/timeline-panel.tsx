import { Group, Switch, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { EventJson, OrderViewJson } from '#gateway/api.ts';
import { stepNamesOf } from '../../parts/step-names.ts';
import { useNow } from '../../parts/time.tsx';
import classes from './gantt.module.css';
import { Gantt } from './gantt.tsx';
import { isMostlyWaiting } from './scale.ts';
import { SegmentTable } from './segment-table.tsx';
import { LOOKS, type Look, lookOf } from './segment-words.ts';
import { lanesOf, segmentsOf, segmentsUntil } from './timeline.ts';

/** The drawing, what its patterns mean, and the same as a table. */
export function TimelinePanel({ order, events }: { order: OrderViewJson; events: readonly EventJson[] }): ReactNode {
  const known = { stepNames: stepNamesOf(order), currentStep: order.current_step, isHeld: order.status === 'held' };
  const segments = segmentsOf(events, known);
  const shown = segmentsUntil(segments, useNow());
  const { scale } = useSearch({ from: '/ui/orders/$id' });
  const navigate = useNavigate({ from: '/ui/orders/$id' });
  const canShorten = isMostlyWaiting(shown);
  const looks = new Set(shown.map(lookOf));
  return (
    <section className={`panel ${classes['panel']}`} aria-labelledby="timeline">
      <Group justify="space-between" gap="xs" mb={4}>
        <Title order={2} id="timeline">
          Timeline
        </Title>
        {canShorten ? (
          <Switch
            size="xs"
            label="Shorten waits"
            checked={scale !== 'true'}
            onChange={({ currentTarget }) =>
              void navigate({ search: (search) => ({ ...search, scale: currentTarget.checked ? undefined : 'true' }), replace: true })
            }
          />
        ) : null}
      </Group>
      <Gantt segments={segments} lanes={lanesOf(events, known)} isShortened={canShorten && scale !== 'true'} />
      <Legend looks={looks} />
      <SegmentTable segments={shown} />
    </section>
  );
}

function Legend({ looks }: { looks: ReadonlySet<Look> }): ReactNode {
  return (
    <ul className={classes['legend']} aria-label="Legend">
      {(Object.keys(LOOKS) as Look[])
        .filter((look) => looks.has(look))
        .map((look) => (
          <li key={look}>
            <span className={classes['swatch']} data-look={look} /> {LOOKS[look]}
          </li>
        ))}
    </ul>
  );
}
