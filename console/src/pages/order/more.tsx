import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { formatCount } from '../../format.ts';

const ROWS_AT_ONCE = 200;

interface MoreProps {
  /** How many are not shown yet. */
  left: number;
  onMore: () => void;
}

/** The first rows of a long list, and more of them when they are asked for. */
export function useFirst<Row>(rows: readonly Row[], atOnce = ROWS_AT_ONCE): MoreProps & { first: readonly Row[] } {
  const [count, setCount] = useState(atOnce);
  return { first: rows.slice(0, count), left: Math.max(0, rows.length - count), onMore: () => setCount(count + ROWS_AT_ONCE) };
}

export function More({ left, onMore }: MoreProps): ReactNode {
  if (left === 0) return null;
  return (
    <Button variant="default" onClick={onMore} mt={8}>
      Show more ({formatCount(left)} left)
    </Button>
  );
}
