import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { formatCount } from '../../format.ts';
import classes from './order.module.css';

const SHOWN_CHARACTERS = 600;
const SHOWN_LINES = 14;

/** A text that may be long: its beginning, and all of it when that is asked for. */
export function Clipped({ text, isCode = false }: { text: string; isCode?: boolean }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const beginning = beginOf(text);
  const isLong = beginning.length < text.length;
  return (
    <div>
      <pre className={`${classes['text']} ${isCode ? 'mono' : ''}`}>
        <span className="foreign">{isWhole ? text : beginning}</span>
        {isLong && !isWhole ? ' …' : null}
      </pre>
      {isLong ? (
        <Button variant="default" mt={4} onClick={() => setWhole(!isWhole)} aria-expanded={isWhole}>
          {isWhole ? 'Show less' : `Show all ${formatCount(text.length)} characters`}
        </Button>
      ) : null}
    </div>
  );
}

/** A character is never cut in two. */
function beginOf(text: string): string {
  const lines = text.split('\n', SHOWN_LINES).join('\n');
  return lines.length <= SHOWN_CHARACTERS ? lines : [...lines.slice(0, SHOWN_CHARACTERS)].slice(0, -1).join('');
}
