import { Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Happening } from '../../api/happenings.ts';
import { Moment } from '../../parts/time.tsx';
import { Tone } from '../../parts/tone.tsx';
import classes from './cluster.module.css';

const MAX_SHOWN = 30;

/** What became of nodes while this page was open, newest first; read out as it happens. */
export function Happened({ happenings, since }: { happenings: readonly Happening[]; since: string }): ReactNode {
  return (
    <section className={`panel ${classes['happened']}`} aria-labelledby="happened">
      <Title order={2} id="happened">
        What happened
      </Title>
      {happenings.length === 0 ? (
        <p className="faint">
          Nothing since <Moment at={since} />. Nodes that come and go, takeovers and new leaders are told here.
        </p>
      ) : null}
      <div role="log" aria-labelledby="happened" tabIndex={happenings.length > 0 ? 0 : undefined}>
        <ol>
          {happenings.slice(0, MAX_SHOWN).map(({ id, at, tone, warehouse, nodeId, text }) => (
            <li key={id}>
              <Moment at={at} />
              <Tone tone={tone}>{warehouse}</Tone>
              {nodeId ? (
                <Link to="/ui/cluster" search={{ node: nodeId }} className="foreign">
                  {text}
                </Link>
              ) : (
                <span className="foreign">{text}</span>
              )}
            </li>
          ))}
        </ol>
      </div>
    </section>
  );
}
