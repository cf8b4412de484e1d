import { Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Happening } from '../../api/happenings.ts';
import { Moment } from '../../parts/time.tsx';
import { Tone } from '../../parts/tone.tsx';
import classes from './cluster.module.css';

const MAX_SHOWN = 30;

/** What became of nodes since this window first looked at them, newest first; read out as it happens. */
export function Happened({ happenings, since }: { happenings: readonly Happening[]; since: string }): ReactNode {
  return (
    <section className={`panel ${classes['happened']}`} aria-labelledby="happened">
      <Title order={2} id="happened">
        What happened
      </Title>
      <p className="faint">
        {happenings.length === 0 ? 'Nothing since ' : 'Since '}
        <Moment at={since} />, when this window first looked; loaded again, it begins anew.
        {happenings.length === 0 ? ' Nodes that come and go, takeovers and new leaders are told here.' : null}
      </p>
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
