import { Group, Switch, Title } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useNow } from '../../parts/time.tsx';
import classes from './gantt.module.css';
import { Gantt } from './gantt.tsx';
import { isMostlyWaiting } from './scale.ts';
import { SegmentTable } from './segment-table.tsx';
import { LOOKS, type Look, lookOf } from './segment-words.ts';
import { type Life, segmentsUntil } from './timeline.ts';

/** The drawing, what its patterns mean, and the same as a table. */
export function TimelinePanel({ life: { lanes, segments } }: { life: Life }): ReactNode {
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
      <Gantt segments={segments} lanes={lanes} isShortened={canShorten && scale !== 'true'} />
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
