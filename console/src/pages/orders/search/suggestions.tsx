import { type ReactNode, useEffect, useRef } from 'react';
import type { Suggestion } from '../query/completion.ts';
import classes from './search.module.css';

interface SuggestionsProps {
  id: string;
  offered: readonly Suggestion[];
  active: number;
  onTake: (suggestion: Suggestion) => void;
}

/** What the box offers; the keyboard stays in the box. */
export function Suggestions({ id, offered, active, onTake }: SuggestionsProps): ReactNode {
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active]);
  return (
    <div
      ref={list}
      id={`${id}-offers`}
      role="listbox"
      aria-label="What you may mean"
      className={classes['offers']}
      hidden={offered.length === 0}
    >
      {offered.map((one, index) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the keyboard chooses from the box, by arrows and Enter.
        <div
          key={one.label}
          id={`${id}-${index}`}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          className={classes['offer']}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(one)}
        >
          <span className={`mono foreign ${classes['label']}`}>{one.label}</span>
          <span className="faint">{one.says}</span>
        </div>
      ))}
    </div>
  );
}
