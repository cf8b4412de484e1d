import type { ReactNode } from 'react';
import classes from './gantt.module.css';
import { NodeName } from './node-name.tsx';
import { formatOffset, lookOf, tookOf, whatOf } from './segment-words.ts';
import type { Shown } from './timeline.ts';

interface GanttTipProps {
  segment: Shown;
  /** When the order was accepted. */
  begin: number;
  /** The row of the bar. */
  lane: number;
  /** The middle of the bar, from 0 to 1. */
  place: number;
}

/** What a bar is, below it. */
export function GanttTip({ segment, begin, lane, place }: GanttTipProps): ReactNode {
  return (
    <div className={classes['tipFrame']} style={{ '--lane': lane, '--place': place } as Record<string, number>} aria-hidden>
      <div className={classes['tip']}>
        <div>
          <strong>{segment.step}</strong> {whatOf(segment)}
          {segment.attempt !== undefined && segment.attempt > 1 ? `, attempt ${segment.attempt}` : null}
        </div>
        <div className="number">
          <span className={classes['swatch']} data-look={lookOf(segment)} /> <strong>{tookOf(segment)}</strong>
          <span className="faint">
            {' '}
            from {formatOffset(segment.from - begin)} to {formatOffset(segment.to - begin)}
          </span>
        </div>
        {segment.nodeId ? (
          <div className="faint">
            node <NodeName id={segment.nodeId} />
          </div>
        ) : null}
        {segment.error ? <div className={`foreign ${classes['tipError']}`}>{segment.error}</div> : null}
      </div>
    </div>
  );
}
