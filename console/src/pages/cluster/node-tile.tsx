import IconCrown from '@tabler/icons-react/dist/esm/icons/IconCrown.mjs';
import { Link } from '@tanstack/react-router';
import { memo, type ReactNode } from 'react';
import type { NodeJson } from '#gateway/api-cluster.ts';
import { formatCount } from '../../format.ts';
import { Moment } from '../../parts/time.tsx';
import { Tone } from '../../parts/tone.tsx';
import classes from './cluster.module.css';
import { NodeActions } from './node-actions.tsx';
import { drawSlots } from './slots.ts';
import { useWanted } from './use-wanted.ts';
import type { AskFor } from './words.ts';

export interface NodeTileProps {
  node: NodeJson;
  longestLeaseMs: number;
  isWanted: boolean;
  onAsk: (ask: AskFor) => void;
}

/** One node: its slots, its lease, what it counted. */
export const NodeTile = memo(function NodeTile({ node, longestLeaseMs, isWanted, onAsk }: NodeTileProps): ReactNode {
  const { node_id: id, name, state, asked } = node;
  const tile = useWanted<HTMLElement>(isWanted);
  return (
    <article
      ref={tile}
      className={classes['tile']}
      data-node={id}
      data-state={state}
      data-wanted={isWanted || undefined}
      aria-label={`Node ${name}`}
      tabIndex={isWanted ? -1 : undefined}
    >
      <div className={classes['tileHead']}>
        <span className={`foreign ${classes['name']}`} title={`${name}\n${id}`}>
          {name}
        </span>
        {node.is_leader ? (
          <span className={classes['leader']} title="It does the warehouse's chores: declares nodes dead, hands their orders on">
            <IconCrown size={13} aria-hidden /> leads
          </span>
        ) : null}
        <span className={classes['spring']} />
        <NodeState node={node} />
        {state === 'dead' ? null : <NodeActions id={id} name={name} state={state} asked={asked} warehouse={node.warehouse} onAsk={onAsk} />}
      </div>
      <Slots slots={node.slots} busy={state === 'dead' ? 0 : node.busy} />
      <div className={classes['tileRow']}>
        <Link
          to="/ui/orders"
          search={{ q: `node:${id}` }}
          className="number"
          aria-label={`${formatCount(node.busy)} of ${formatCount(node.slots)} busy: orders of ${name}`}
        >
          {formatCount(node.busy)} of {formatCount(node.slots)} busy
        </Link>
        <Lease node={node} longestMs={longestLeaseMs} />
      </div>
      <Counts node={node} />
      <About node={node} />
    </article>
  );
});

function NodeState({ node: { state, asked, connected } }: { node: NodeJson }): ReactNode {
  if (state === 'dead') return <Tone tone="bad">Dead</Tone>;
  if (!connected) return <Tone tone="bad">Silent</Tone>;
  if (asked === 'stop') return <Tone tone="warn">Stopping</Tone>;
  if (state === 'draining') return <Tone tone="warn">Draining</Tone>;
  if (asked === 'drain') return <Tone tone="warn">Asked to drain</Tone>;
  return <Tone tone="good">Live</Tone>;
}

const Slots = memo(function Slots({ slots, busy }: { slots: number; busy: number }): ReactNode {
  const paths = drawSlots(slots, busy);
  return (
    <svg
      className={classes['slots']}
      viewBox={`0 0 ${paths.width} ${paths.height}`}
      role="img"
      aria-label={`${busy} of ${slots} slots busy`}
      data-busy={busy}
    >
      <path d={paths.free} className={classes['free']} />
      <path d={paths.busy} className={classes['busy']} />
    </svg>
  );
});

/** What is left of the lease, as a thin bar: it shrinks and is renewed with every tick. */
function Lease({ node: { lease_ms: left, state, liveness }, longestMs }: { node: NodeJson; longestMs: number }): ReactNode {
  if (state === 'dead') return null;
  const share = Math.min(1, Math.max(0, left / longestMs));
  const says = left > 0 ? `${(left / 1_000).toFixed(1)} s left of its lease` : 'its lease has run out';
  const notice = liveness ? 'its end is noticed at once' : 'its end is noticed by the lease only';
  return (
    <span className={classes['lease']} title={`${says}; ${notice}`} data-low={share < 1 / 3 || undefined}>
      <span>{liveness ? 'lease' : 'lease only'}</span>
      <span className={classes['leaseBar']} role="img" aria-label={says}>
        <span style={{ width: `${Math.round(share * 100)}%` }} />
      </span>
    </span>
  );
}

const Counts = memo(
  function Counts({ node }: { node: NodeJson }): ReactNode {
    const counts = [
      ['takeovers', node.takeovers, 'sessions of others that it ended'],
      ['handed on', node.handed_over, 'orders of those sessions that went on elsewhere'],
      ['fenced', node.fenced_writes, 'late writes that were refused because the order was no longer its own'],
    ] as const;
    return (
      <dl className={classes['counts']}>
        {counts.map(([name, count, title]) => (
          <div key={name} title={title} data-some={count > 0 || undefined}>
            <dt>{name}</dt>
            <dd className="number">{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
    );
  },
  ({ node: was }, { node: is }) =>
    was.takeovers === is.takeovers && was.handed_over === is.handed_over && was.fenced_writes === is.fenced_writes,
);

const About = memo(
  function About({ node }: { node: NodeJson }): ReactNode {
    const { version, host, session, started_at: startedAt, connection_string: address } = node;
    return (
      <p className={`faint ${classes['about']}`}>
        <span className="foreign" title={address}>
          {host}
        </span>
        <span className="foreign">v{version}</span>
        <span className="number">session {session}</span>
        <span className={classes['spring']} />
        <span>
          since <Moment at={startedAt} />
        </span>
      </p>
    );
  },
  ({ node: was }, { node: is }) => was.session === is.session && was.version === is.version && was.host === is.host,
);
